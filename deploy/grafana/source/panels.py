"""Constructors of Grafana's classic panel JSON (schemaVersion 39). Every panel has a unit, a description, the data source of
`$datasource`, and the reducer `last`: Grafana's default, lastNotNull, paints a dead series with its last good value."""

from . import style
from .style import NEUTRAL, NO_DATA, steps

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
LAST = {"calcs": ["last"], "fields": "", "values": False}


def query(expr, legend="__auto", ref="A", table=False, instant=True, **extra):
    return {"refId": ref, "datasource": DATASOURCE, "editorMode": "code", "expr": expr, "legendFormat": legend,
            "instant": instant, "range": not instant, "format": "table" if table else "time_series", **extra}


def field(unit, mappings=None, thresholds=None, decimals=None, custom=None, links=None, no_value="NO DATA", **extra):
    defaults = {"unit": unit, "noValue": no_value, "mappings": NO_DATA if mappings is None else mappings,
                "thresholds": thresholds or steps(NEUTRAL), "color": {"mode": "thresholds"}, "links": links or [],
                "custom": custom or {}, **extra}
    if decimals is not None:
        defaults["decimals"] = decimals
    return defaults


def panel(kind, title, description, targets, defaults, options, overrides=None, **extra):
    return {"type": kind, "title": title, "description": description, "datasource": DATASOURCE, "targets": targets,
            "fieldConfig": {"defaults": defaults, "overrides": overrides or []}, "options": options, **extra}


def stat(title, description, targets, defaults, show="value", paint="value", direction="vertical", overrides=None,
         sizes=None):
    options = {"reduceOptions": LAST, "colorMode": paint, "graphMode": "none", "justifyMode": "center",
               "textMode": show, "orientation": direction, "wideLayout": False, "text": sizes or {}}
    targets = [targets] if isinstance(targets, dict) else targets
    return panel("stat", title, description, targets, defaults, options, overrides)


def colored(ref, thresholds):
    return {"matcher": {"id": "byFrameRefID", "options": ref}, "properties": [{"id": "thresholds", "value": thresholds}]}


def table(title, description, target, columns, unit="none", mappings=None, decimals=None, sort=None, no_value="NO DATA"):
    """columns: (label or "Value", heading, width, properties); all other labels are hidden, in this order."""
    overrides = []
    for _, heading, width, properties in columns:
        own = [{"id": name, "value": value} for name, value in properties.items()]
        if width:
            own.append({"id": "custom.width", "value": width})
        if own:
            overrides.append({"matcher": {"id": "byName", "options": heading}, "properties": own})
    arrange = [{"id": "filterFieldsByName", "options": {"include": {"names": [name for name, *_ in columns]}}},
               {"id": "organize", "options": {"excludeByName": {},
                                              "indexByName": {name: i for i, (name, *_) in enumerate(columns)},
                                              "renameByName": {name: heading for name, heading, *_ in columns}}}]
    custom = {"align": "left", "cellOptions": {"type": "auto", "wrapText": True}, "inspect": True, "filterable": True}
    options = {"showHeader": True, "cellHeight": "md", "footer": {"show": False, "reducer": ["last"], "countRows": False},
               "sortBy": [{"displayName": sort, "desc": False}] if sort else []}
    return panel("table", title, description, [target], field(unit, mappings, decimals=decimals, custom=custom,
                                                              no_value=no_value),
                 options, overrides, transformations=arrange)


def timeline(kind, title, description, targets, mappings, **options):
    custom = {"fillOpacity": 90, "lineWidth": 0 if kind == "state-timeline" else 1, "spanNulls": False, "insertNulls": False,
              "hideFrom": {"legend": False, "tooltip": False, "viz": False}}
    common = {"rowHeight": 0.85, "showValue": "auto", "legend": {"showLegend": False, "displayMode": "list",
                                                                 "placement": "bottom"},
              "tooltip": {"mode": "single", "sort": "none"}}
    if kind == "state-timeline":
        common |= {"mergeValues": True, "alignValue": "left"}
    else:
        common |= {"colWidth": 0.95, "showValue": "never"}
    return panel(kind, title, description, targets, field("none", mappings, custom=custom), common | options,
                 interval="10s", maxDataPoints=360 if kind == "state-timeline" else 90)


def lines(title, description, targets, unit, decimals=None, thresholds=None, by_path=False, colors=None, **extra):
    custom = {"drawStyle": "line", "lineInterpolation": "linear", "lineWidth": 2, "fillOpacity": 0, "showPoints": "never",
              "spanNulls": False, "insertNulls": 30000, "axisPlacement": "auto", "axisLabel": "",
              "thresholdsStyle": {"mode": "dashed" if thresholds else "off"},
              "hideFrom": {"legend": False, "tooltip": False, "viz": False}}
    defaults = field(unit, thresholds=thresholds, decimals=decimals, custom=custom, **extra)
    defaults["color"] = style.SHADES
    overrides = [{"matcher": {"id": "byName", "options": name},
                  "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": color}}]}
                 for name, color in (colors or {}).items()]
    if by_path:
        for path in style.PATHS:
            color, dash = style.PATH_LINES[path]
            line = {"fill": "dash", "dash": dash} if dash else {"fill": "solid"}
            overrides.append({"matcher": {"id": "byName", "options": path},
                              "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": color}},
                                             {"id": "custom.lineStyle", "value": line}]})
    options = {"legend": {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []},
               "tooltip": {"mode": "multi", "sort": "desc"}}
    targets = [targets] if isinstance(targets, dict) else targets
    return panel("timeseries", title, description, targets, defaults, options, overrides, interval="5s")


def row(title):
    return {"type": "row", "title": title, "collapsed": False, "panels": []}


def lay_out(rows):
    """rows: lists of (panel, width); a row is as high as its first panel's "h" entry, given as (height, [(panel, width)…])."""
    placed, y = [], 0
    for height, cells in rows:
        x = 0
        for item, width in cells:
            item["id"] = len(placed) + 1
            item["gridPos"] = {"x": x, "y": y, "w": width, "h": height}
            placed.append(item)
            x += width
        assert x == 24, f"a row {x} wide: {[item['title'] for item, _ in cells]}"
        y += height
    return placed
