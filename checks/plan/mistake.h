#ifndef PUCKDROP_CHECKS_PLAN_MISTAKE_H_
#define PUCKDROP_CHECKS_PLAN_MISTAKE_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace puckdrop::plan {

// A place in one of the files of a plan. Lines and columns count from 1, columns in characters.
struct Location {
  std::uint32_t file = 0;
  std::uint32_t line = 0;
  std::uint32_t column = 0;

  bool known() const { return line != 0; }
  friend bool operator==(const Location&, const Location&) = default;
  friend auto operator<=>(const Location&, const Location&) = default;
};

// One file as it was read.
struct SourceFile {
  std::string name;
  std::string text;
  std::vector<std::size_t> line_starts;

  SourceFile(std::string name, std::string text);
  // Without its end; empty past the end. Counts from 1.
  absl::string_view Line(std::uint32_t line) const;
};

// Something wrong with a plan, said so that a person can mend it.
struct Mistake {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  // One sentence without a full stop.
  std::string message;
  // What to do; may be empty.
  std::string hint;
  // The line in question; empty where it may hold a secret.
  std::string source_line;
};

// `file:line:column: message`, the line with a caret under the column, and the hint. Control characters are replaced
// and a long line is cut around the column, so that nothing in a file can drive a terminal.
std::string ToText(const Mistake& mistake);
std::string ToText(const std::vector<Mistake>& mistakes);

// Collects mistakes; not thread-safe.
class Mistakes {
 public:
  static constexpr std::size_t kMost = 1000;

  // `sources` must outlive this and may grow.
  explicit Mistakes(const std::vector<SourceFile>& sources) : sources_(sources) {}

  void Add(const Location& at, std::string message, std::string hint = "");
  // As Add, without quoting the line.
  void AddSecretly(const Location& at, std::string message, std::string hint = "");
  // For what belongs to no place in a file that could be read.
  void AddForFile(std::string file, std::string message, std::string hint = "");
  bool empty() const { return found_.empty(); }
  // In place of what it holds; `other` must be of the same sources.
  void Take(Mistakes&& other) { found_ = std::move(other.found_); }
  // `file:line:column`, for messages that name a second place.
  std::string Describe(const Location& at) const;
  // By file in the order read, line, column; the same mistake once.
  std::vector<Mistake> Sorted() const;

 private:
  struct Found {
    Location at;
    Mistake mistake;
  };
  const std::vector<SourceFile>& sources_;
  std::vector<Found> found_;
};

}  // namespace puckdrop::plan

#endif  // PUCKDROP_CHECKS_PLAN_MISTAKE_H_
