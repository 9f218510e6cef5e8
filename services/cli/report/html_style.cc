#include "services/cli/report/html_parts.h"

namespace puckdrop::report {

// Every pair of ink and ground has a contrast of 4.5:1 or more (WCAG 2.1 AA), in both schemes; colour never stands
// alone.
absl::string_view StyleSheet() {
  return R"css(
:root{color-scheme:light dark;--bg:#f3f5f8;--card:#fff;--ink:#12161c;--dim:#4f5966;--line:#d8dde4;--code:#eef1f5;
--red:#b3261e;--redbg:#fdecea;--green:#14693a;--greenbg:#e6f4eb;--amber:#7a4f00;--amberbg:#fdf3dc;--link:#1a56b0}
@media(prefers-color-scheme:dark){:root{--bg:#0d1015;--card:#161b22;--ink:#e7ebf0;--dim:#a0abb8;--line:#2c343f;--code:#0d1117;
--red:#ff9a91;--redbg:#3a1614;--green:#74d693;--greenbg:#12301e;--amber:#f2bf57;--amberbg:#33260a;--link:#8ab8ff}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;
overflow-wrap:anywhere}
main,.banner>div{max-width:1180px;margin:0 auto;padding:0 16px}
h1,h2,h3,p{margin:0}
h2{font-size:1.15rem;margin:32px 0 12px}
h2 small,.dim{color:var(--dim);font-weight:400}
a{color:var(--link)}
code,pre{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.86em}
pre{margin:6px 0 0;padding:10px 12px;background:var(--code);border:1px solid var(--line);border-radius:6px;white-space:pre-wrap;
overflow-wrap:anywhere;max-height:26em;overflow-y:auto}
.banner{color:#fff;background:#6b4a00}
.banner.no{background:#a3211a}.banner.go{background:#14693a}
.banner>div{padding:22px 16px 20px}
.banner h1{font-size:clamp(1.9rem,8vw,3rem);line-height:1.05;letter-spacing:-.01em}
.banner .title{font-size:1.15rem;font-weight:600;margin-top:8px}
.banner .line{font-size:1.05rem;margin-top:4px}
.banner .when{margin-top:10px;font-size:.9rem}
.tiles{display:grid;grid-template-columns:repeat(5,1fr);gap:10px;margin-top:16px}
.tiles.six{grid-template-columns:repeat(6,1fr)}
.tile,.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 14px}
.tile{border-top:4px solid var(--dim)}
.tile.no{border-top-color:var(--red)}.tile.go{border-top-color:var(--green)}.tile.in{border-top-color:var(--amber)}
.tile .name{font-size:.9rem;color:var(--dim)}
.tile .state{font-weight:700;line-height:1.25}
.no .state,.bad{color:var(--red)}.go .state,.good{color:var(--green)}.in .state,.warn{color:var(--amber)}
.tile .counts{font-size:.85rem;color:var(--dim)}
.card{margin-bottom:14px;border-left:5px solid var(--dim)}
.card.no{border-left-color:var(--red)}.card.in{border-left-color:var(--amber)}
.card h3{font-size:1.15rem;line-height:1.3}
.meta{margin:4px 0 10px;color:var(--dim);font-size:.92rem}
.finding{margin:10px 0}
.versus{display:grid;grid-template-columns:1fr 1fr;gap:8px;margin-top:6px}
.versus div{border-radius:6px;padding:6px 10px;background:var(--code)}
.versus .actual{background:var(--redbg)}
.versus span{display:block;font-size:.78rem;color:var(--dim)}
.do{background:var(--amberbg);border-radius:6px;padding:8px 12px;margin:12px 0}
.do b{color:var(--amber)}
.owed{background:var(--redbg);border:2px solid var(--red)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 14px;margin:8px 0 0}
dt{color:var(--dim)}dd{margin:0;min-width:0}
details{margin:8px 0 0}
details>summary{cursor:pointer;color:var(--link);padding:3px 0}
details details{margin-left:2px}
ul{margin:6px 0 0;padding-left:20px}li{margin:3px 0}
.pictures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,240px),1fr));gap:12px;margin-top:10px}
figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:8px;overflow:hidden}
figure img{display:block;width:100%;height:auto;background:#000;min-height:40px}
figcaption{padding:6px 10px;font-size:.85rem}
.scroll{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:10px;-webkit-overflow-scrolling:touch}
table{border-collapse:collapse;width:100%;font-size:.88rem;overflow-wrap:normal}
th,td{padding:5px 9px;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}
tr:last-child td,tr:last-child th{border-bottom:0}
thead th{color:var(--dim);font-weight:600}
.matrix td{text-align:center;white-space:nowrap;font-weight:600}
.matrix thead th{text-align:center;white-space:nowrap}
.matrix thead th small{display:block;font-weight:400}
.matrix tbody th{position:sticky;left:0;background:var(--card);font-weight:400;white-space:nowrap;z-index:1}
.matrix tr.path th{background:var(--code);font-weight:600}
.matrix tr.path td{background:var(--code)}
.matrix td a{color:inherit}
td.fail{background:var(--redbg);color:var(--red)}td.block{color:var(--red);font-weight:400}
td.ok{color:var(--green);font-weight:400}td.amber{background:var(--amberbg);color:var(--amber)}td.none{color:var(--dim);font-weight:400}
td.n,th.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
footer{margin:36px 0 32px;font-size:.88rem;color:var(--dim)}
@media(max-width:860px){.tiles,.tiles.six{grid-template-columns:repeat(3,1fr)}}
@media(max-width:560px){.tiles,.tiles.six{grid-template-columns:1fr}.tile{display:grid;grid-template-columns:1fr auto;border-top-width:1px;
border-left:5px solid var(--dim);padding:9px 12px;column-gap:10px}.tile.no{border-top-color:var(--line);border-left-color:var(--red)}
.tile.go{border-top-color:var(--line);border-left-color:var(--green)}.tile.in{border-top-color:var(--line);border-left-color:var(--amber)}
.tile .counts{grid-column:1/-1}.versus{grid-template-columns:1fr}main,.banner>div{padding-left:12px;padding-right:12px}
dl{grid-template-columns:1fr;gap:0}dt{margin-top:6px;font-size:.85rem}.matrix th,.matrix td{padding:5px 7px}
.matrix tbody th{white-space:normal;min-width:120px}}
@media print{:root{--bg:#fff}.card,figure,.tile{break-inside:avoid}.scroll{overflow:visible}pre{max-height:none}
.banner,td,.versus div,.do,.owed{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
)css";
}

}  // namespace puckdrop::report
