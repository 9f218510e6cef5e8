#ifndef PUCKDROP_CHECKS_PLAN_DOCUMENT_H_
#define PUCKDROP_CHECKS_PLAN_DOCUMENT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "checks/plan/mistake.h"

namespace puckdrop::plan {

struct Member;

// One value of a YAML file, with its place. A tree: no value is shared.
struct Node {
  enum class Kind {
    kNull,
    kScalar,
    kList,
    kMap,
    // Already reported; whoever reads it says nothing more.
    kBad,
  };

  Kind kind = Kind::kNull;
  // Where it begins; for null, the place of its key.
  Location at;
  // A scalar's text.
  std::string text;
  // Quoted or a block: never a number, truth value or null.
  bool quoted = false;
  // Where the text itself begins: inside the quotes, or on a block's first line.
  Location text_at;
  // The text stands in the file letter by letter from text_at, further lines at the same column.
  bool verbatim = false;
  // Written in flow style, { } or [ ].
  bool flow = false;
  std::vector<Node> items;
  std::vector<Member> members;

  const Node* Find(const std::string& key) const;
};

struct Member {
  std::string key;
  Location key_at;
  Node value;
};

// Bounds on one file and on a whole plan.
struct DocumentLimits {
  std::size_t bytes = 1 << 20;
  std::size_t depth = 64;
  std::size_t nodes = 100'000;
};

// Reads `source`, which is file number `file`. Anchors, aliases, tags and duplicate keys are mistakes, all of them at
// once; a syntax error (or a file that is not UTF-8, or beyond a bound) is reported alone, and the result is kBad.
// An empty file is an empty map. `nodes` is what is left of the bound on the whole plan.
Node ParseDocument(const SourceFile& source, std::uint32_t file, const DocumentLimits& limits, std::size_t* nodes,
                   Mistakes* mistakes);

}  // namespace puckdrop::plan

#endif  // PUCKDROP_CHECKS_PLAN_DOCUMENT_H_
