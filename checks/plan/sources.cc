#include "checks/plan/sources.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "checks/plan/suggest.h"

namespace puckdrop::plan {
namespace {

constexpr std::size_t kMostFiles = 64;

class TreeReader {
 public:
  TreeReader(const FileReader& read, std::vector<SourceFile>* sources, Mistakes* mistakes)
      : read_(read), sources_(sources), mistakes_(mistakes), nodes_left_(limits_.nodes), bytes_left_(limits_.bytes) {}

  // One file with all it includes; `from` is the place that named it, unknown for one from the command line.
  Node Read(const std::string& path, const Location& from) {
    Node none;
    none.kind = Node::Kind::kBad;
    const bool is_standard = absl::StartsWith(path, "std/");
    const std::string id = is_standard ? path : std::filesystem::path(path).lexically_normal().string();
    if (std::find(open_.begin(), open_.end(), id) != open_.end()) {
      Report(path, from, "this file includes itself, by way of the files between", "");
      return none;
    }
    if (!done_.insert(id).second) {
      // Joined already, through another file.
      none.kind = Node::Kind::kMap;
      return none;
    }
    if (sources_->size() >= kMostFiles) {
      Report(path, from, absl::StrCat("a plan may have at most ", kMostFiles, " files"), "");
      return none;
    }
    std::string text;
    if (is_standard) {
      const auto& files = StandardFiles();
      const auto found = files.find(path);
      if (found == files.end()) {
        std::vector<std::string> known;
        for (const auto& [name, content] : files) known.push_back(name);
        Report(path, from, absl::StrCat("`", path, "` does not come with this version of puckdrop"),
               DidYouMean(path, known));
        return none;
      }
      text = found->second;
    } else {
      absl::StatusOr<std::string> content = read_(path);
      if (!content.ok()) {
        Report(path, from, absl::StrCat("cannot read ", path, ": ", std::string(content.status().message())), "");
        return none;
      }
      text = *std::move(content);
    }
    if (absl::StartsWith(text, "\xef\xbb\xbf")) text.erase(0, 3);
    if (text.size() > bytes_left_) {
      Report(
          path, from,
          absl::StrCat("a plan may be at most ", limits_.bytes, " bytes long with all its files; this file is beyond"),
          "");
      return none;
    }
    bytes_left_ -= text.size();
    const std::uint32_t number = static_cast<std::uint32_t>(sources_->size());
    sources_->emplace_back(id, std::move(text));
    Node root = ParseDocument(sources_->back(), number, limits_, &nodes_left_, mistakes_);
    if (root.kind == Node::Kind::kBad) return root;
    if (root.kind != Node::Kind::kMap) {
      mistakes_->Add(root.at, "a plan is a map: `launch:`, `target:`, `operations:` …",
                     "`puckdrop plan init` writes one");
      root.kind = Node::Kind::kBad;
      return root;
    }
    open_.push_back(id);
    Node includes = TakeIncludes(&root);
    for (const Node& include : includes.items) {
      if (include.kind == Node::Kind::kBad) continue;
      if (include.kind != Node::Kind::kScalar || include.text.empty()) {
        mistakes_->Add(include.at, "a file's name is wanted here", "");
        continue;
      }
      std::string name = include.text;
      const std::filesystem::path as_path(name);
      if (!absl::StartsWith(name, "std/") && as_path.is_relative() && !is_standard) {
        name = (std::filesystem::path(id).parent_path() / as_path).string();
      }
      Node joined = Read(name, include.at);
      if (joined.kind == Node::Kind::kMap) Join(&root, std::move(joined));
      if (joined.kind == Node::Kind::kBad) incomplete_ = true;
    }
    open_.pop_back();
    return root;
  }

  void Join(Node* base, Node add) {
    for (Member& member : add.members) {
      auto found = std::find_if(base->members.begin(), base->members.end(),
                                [&](const Member& old) { return old.key == member.key; });
      if (found == base->members.end()) {
        base->members.push_back(std::move(member));
      } else if (member.value.kind == Node::Kind::kNull || found->value.kind == Node::Kind::kBad) {
        continue;
      } else if (found->value.kind == Node::Kind::kNull) {
        *found = std::move(member);
      } else if (found->value.kind == Node::Kind::kMap && member.value.kind == Node::Kind::kMap) {
        Join(&found->value, std::move(member.value));
      } else if (member.value.kind != Node::Kind::kBad) {
        mistakes_->Add(member.key_at, absl::StrCat("`", member.key, "` is given twice"),
                       absl::StrCat("the first is at ", mistakes_->Describe(found->key_at)));
      }
    }
  }

  void Lay(Node* base, Node over) {
    for (Member& member : over.members) {
      auto found = std::find_if(base->members.begin(), base->members.end(),
                                [&](const Member& old) { return old.key == member.key; });
      if (member.value.kind == Node::Kind::kNull) {
        if (found != base->members.end()) {
          base->members.erase(found);
        } else {
          std::vector<std::string> known;
          for (const Member& old : base->members) known.push_back(old.key);
          mistakes_->Add(member.key_at, absl::StrCat("there is no `", member.key, "` for this overlay to remove"),
                         DidYouMean(member.key, known));
        }
      } else if (found == base->members.end()) {
        base->members.push_back(std::move(member));
      } else if (found->value.kind == Node::Kind::kMap && member.value.kind == Node::Kind::kMap) {
        Lay(&found->value, std::move(member.value));
      } else {
        *found = std::move(member);
      }
    }
  }

  bool incomplete() const { return incomplete_; }
  // An overlay may name a file that the plan has included.
  void Forget() { done_.clear(); }

 private:
  void Report(const std::string& path, const Location& from, std::string message, std::string hint) {
    incomplete_ = true;
    if (from.known()) {
      mistakes_->Add(from, std::move(message), std::move(hint));
    } else {
      mistakes_->AddForFile(path, std::move(message), std::move(hint));
    }
  }

  Node TakeIncludes(Node* root) {
    Node out;
    const auto found = std::find_if(root->members.begin(), root->members.end(),
                                    [](const Member& member) { return member.key == "include"; });
    if (found == root->members.end()) return out;
    out = std::move(found->value);
    const Location at = found->key_at;
    root->members.erase(found);
    if (out.kind != Node::Kind::kList && out.kind != Node::Kind::kNull && out.kind != Node::Kind::kBad) {
      mistakes_->Add(at, "`include` is a list of files", "write `include: [other.yaml]`");
    }
    return out;
  }

  const FileReader& read_;
  std::vector<SourceFile>* sources_;
  Mistakes* mistakes_;
  const DocumentLimits limits_;
  std::size_t nodes_left_;
  std::size_t bytes_left_;
  std::vector<std::string> open_;
  std::set<std::string> done_;
  bool incomplete_ = false;
};

}  // namespace

absl::StatusOr<std::string> ReadFromDisk(const std::string& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) return absl::NotFoundError("no such file");
  if (!std::filesystem::is_regular_file(status)) return absl::InvalidArgumentError("not a regular file");
  std::ifstream in(path, std::ios::binary);
  if (!in) return absl::PermissionDeniedError("it cannot be opened");
  // One byte beyond the bound is enough to see that it is broken.
  std::string text(DocumentLimits().bytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (in.bad()) return absl::DataLossError("it cannot be read to its end");
  return text;
}

const std::map<std::string, std::string>& StandardFiles() {
  static const auto* const kFiles = new std::map<std::string, std::string>();
  return *kFiles;
}

Node ReadTree(const std::vector<std::string>& files, const std::vector<std::string>& overlays, const FileReader& read,
              std::vector<SourceFile>* sources, Mistakes* mistakes) {
  TreeReader reader(read, sources, mistakes);
  Node root;
  root.kind = Node::Kind::kMap;
  root.at = {0, 1, 1};
  bool bad = false;
  for (const std::string& file : files) {
    Node next = reader.Read(file, Location{});
    bad = bad || next.kind == Node::Kind::kBad;
    if (next.kind == Node::Kind::kMap) reader.Join(&root, std::move(next));
  }
  for (const std::string& overlay : overlays) {
    reader.Forget();
    Node next = reader.Read(overlay, Location{});
    bad = bad || next.kind == Node::Kind::kBad;
    if (next.kind == Node::Kind::kMap) reader.Lay(&root, std::move(next));
  }
  // With a file missing, half of what follows would be guesswork.
  if (bad || reader.incomplete()) root.kind = Node::Kind::kBad;
  return root;
}

}  // namespace puckdrop::plan
