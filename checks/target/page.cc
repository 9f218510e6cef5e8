#include "checks/target/page.h"

#include <gumbo.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "checks/target/http/host_rules.h"

namespace puckdrop::target {
namespace {

using nlohmann::json;

constexpr size_t kMostBytes = 4u << 20;
constexpr int kMostTags = 20'000;
constexpr size_t kMostLinks = 2000;
constexpr size_t kMostControls = 2000;
constexpr size_t kMostText = 200'000;
// Links can nest and forms can be empty, so that without these a small page becomes a huge one.
constexpr size_t kMostLinkText = 1000;
constexpr size_t kMostForms = 1000;

// Time and depth of what the parser does grow with the tags that a page opens, so this bounds both.
bool OpensTooMany(absl::string_view html) {
  int open = 0;
  for (size_t at = html.find('<'); at != absl::string_view::npos && at + 1 < html.size(); at = html.find('<', at + 1)) {
    if (absl::ascii_isalpha(static_cast<unsigned char>(html[at + 1])) && ++open > kMostTags) return true;
  }
  return false;
}

// All memory of one parsed page, given back at once: gumbo's own way to free a tree recurses as deep as the page nests.
class Arena {
 public:
  static void* Allocate(void* self, size_t size) { return static_cast<Arena*>(self)->Take(size); }
  static void Free(void*, void*) {}

 private:
  void* Take(size_t size) {
    size = (size + 15) & ~size_t{15};
    if (size > left_) {
      const size_t chunk = std::max(size, size_t{128} << 10);
      chunks_.push_back(std::make_unique<char[]>(chunk + 16));
      const auto start = reinterpret_cast<uintptr_t>(chunks_.back().get());
      next_ = chunks_.back().get() + ((16 - start % 16) % 16);
      left_ = chunk;
    }
    void* taken = next_;
    next_ += size;
    left_ -= size;
    return taken;
  }

  std::vector<std::unique_ptr<char[]>> chunks_;
  char* next_ = nullptr;
  size_t left_ = 0;
};

std::string Attribute(const GumboElement& element, const char* name) {
  const GumboAttribute* found = gumbo_get_attribute(&element.attributes, name);
  return found == nullptr ? "" : found->value;
}

bool HasAttribute(const GumboElement& element, const char* name) {
  return gumbo_get_attribute(&element.attributes, name) != nullptr;
}

const GumboVector* Children(const GumboNode& node) {
  if (node.type == GUMBO_NODE_ELEMENT || node.type == GUMBO_NODE_TEMPLATE) return &node.v.element.children;
  return node.type == GUMBO_NODE_DOCUMENT ? &node.v.document.children : nullptr;
}

void AppendCollapsed(std::string& out, absl::string_view text, size_t most) {
  for (char c : text) {
    if (absl::ascii_isspace(static_cast<unsigned char>(c))) {
      if (!out.empty() && out.back() != ' ') out.push_back(' ');
    } else {
      out.push_back(c);
    }
    if (out.size() >= most) return;
  }
}

bool HasNoWords(const GumboNode& node) {
  return node.type == GUMBO_NODE_ELEMENT &&
         (node.v.element.tag == GUMBO_TAG_SCRIPT || node.v.element.tag == GUMBO_TAG_STYLE ||
          node.v.element.tag == GUMBO_TAG_NOSCRIPT);
}

bool IsInline(const GumboNode& node) {
  if (node.type != GUMBO_NODE_ELEMENT) return true;
  switch (node.v.element.tag) {
    case GUMBO_TAG_SPAN:
    case GUMBO_TAG_A:
    case GUMBO_TAG_B:
    case GUMBO_TAG_I:
    case GUMBO_TAG_STRONG:
    case GUMBO_TAG_EM:
      return true;
    default:
      return false;
  }
}

// Goes through a node and all below it without recursion. `enter` says whether to go below; `leave` comes after what is
// below.
template <typename Enter, typename Leave>
void Traverse(const GumboNode& root, const Enter& enter, const Leave& leave) {
  std::vector<std::pair<const GumboNode*, unsigned>> stack;
  if (enter(root)) stack.emplace_back(&root, 0);
  while (!stack.empty()) {
    const GumboNode& node = *stack.back().first;
    const GumboVector* children = Children(node);
    if (children == nullptr || stack.back().second >= children->length) {
      stack.pop_back();
      leave(node);
      continue;
    }
    const auto& child = *static_cast<const GumboNode*>(children->data[stack.back().second++]);
    if (enter(child)) stack.emplace_back(&child, 0);
  }
}

// The words below a node.
void AppendText(const GumboNode& root, std::string& out, size_t most) {
  Traverse(
      root,
      [&out, most](const GumboNode& node) {
        if (out.size() >= most) return false;
        if (node.type == GUMBO_NODE_TEXT || node.type == GUMBO_NODE_WHITESPACE || node.type == GUMBO_NODE_CDATA) {
          AppendCollapsed(out, node.v.text.text, most);
          return false;
        }
        return !HasNoWords(node);
      },
      [&out, most](const GumboNode& node) {
        if (!IsInline(node)) AppendCollapsed(out, " ", most);
      });
}

std::string TextOf(const GumboNode& node, size_t most = kMostText) {
  std::string out;
  AppendText(node, out, most);
  return std::string(absl::StripAsciiWhitespace(out));
}

class Reader {
 public:
  explicit Reader(absl::string_view url) : base_(url) {}

  void Walk(const GumboNode& root) {
    std::vector<int> form{-1};  // of each node on the way down
    Traverse(
        root,
        [&](const GumboNode& node) {
          form.push_back(node.type == GUMBO_NODE_ELEMENT ? Enter(node, form.back()) : form.back());
          return true;
        },
        [&](const GumboNode&) { form.pop_back(); });
  }

  json Finish(const GumboNode& root) {
    for (json& form : forms_) {
      for (const json& control : form["controls"]) {
        const auto& name = control["name"].get_ref<const std::string&>();
        if (control["sent"].get<bool>() && !form["fields"].contains(name)) form["fields"][name] = control["value"];
      }
    }
    return {{"title", title_},
            {"text", TextOf(root)},
            {"language", language_},
            {"links", std::move(links_)},
            {"forms", std::move(forms_)}};
  }

 private:
  std::string Resolve(const std::string& reference) const {
    const auto resolved = http::ResolveUrl(base_, absl::StripAsciiWhitespace(reference));
    return resolved.ok() ? resolved->normalised : reference;
  }

  int Enter(const GumboNode& node, int form) {
    const GumboElement& element = node.v.element;
    switch (element.tag) {
      case GUMBO_TAG_HTML:
        language_ = Attribute(element, "lang");
        break;
      case GUMBO_TAG_TITLE:
        if (title_.empty()) title_ = TextOf(node);
        break;
      case GUMBO_TAG_BASE:
        if (HasAttribute(element, "href")) base_ = Resolve(Attribute(element, "href"));
        break;
      case GUMBO_TAG_A:
      case GUMBO_TAG_LINK:
        if (HasAttribute(element, "href") && links_.size() < kMostLinks) {
          links_.push_back({{"href", Resolve(Attribute(element, "href"))},
                            {"text", TextOf(node, kMostLinkText)},
                            {"rel", Attribute(element, "rel")}});
        }
        break;
      case GUMBO_TAG_FORM: {
        if (forms_.size() >= kMostForms) return -1;
        const std::string action = Attribute(element, "action");
        json made = {{"id", Attribute(element, "id")},
                     {"name", Attribute(element, "name")},
                     {"action", action.empty() ? base_ : Resolve(action)},
                     {"method", absl::EqualsIgnoreCase(Attribute(element, "method"), "post") ? "post" : "get"},
                     {"enctype", Attribute(element, "enctype")},
                     {"fields", json::object()},
                     {"controls", json::array()}};
        const int number = static_cast<int>(forms_.size());
        form_of_id_.emplace(Attribute(element, "id"), number);
        forms_.push_back(std::move(made));
        return number;
      }
      case GUMBO_TAG_INPUT:
      case GUMBO_TAG_BUTTON:
      case GUMBO_TAG_TEXTAREA:
      case GUMBO_TAG_SELECT:
        AddControl(node, form);
        break;
      default:
        break;
    }
    return form;
  }

  void AddControl(const GumboNode& node, int form) {
    const GumboElement& element = node.v.element;
    // A control may name its form instead of standing in it.
    if (const std::string owner = Attribute(element, "form"); !owner.empty()) {
      if (const auto found = form_of_id_.find(owner); found != form_of_id_.end()) form = found->second;
    }
    if (form < 0) return;
    json& controls = forms_[static_cast<size_t>(form)]["controls"];
    if (controls.size() >= kMostControls) return;
    std::string type, value;
    bool sent = !HasAttribute(element, "disabled");
    if (element.tag == GUMBO_TAG_TEXTAREA) {
      type = "textarea";
      const GumboVector& children = element.children;
      for (unsigned i = 0; i < children.length; ++i) {
        const auto& child = *static_cast<const GumboNode*>(children.data[i]);
        if (child.type == GUMBO_NODE_TEXT || child.type == GUMBO_NODE_WHITESPACE) value += child.v.text.text;
      }
    } else if (element.tag == GUMBO_TAG_SELECT) {
      type = "select";
      bool any = false;
      SelectedOption(node, value, any, 0);
      sent = sent && any;
    } else if (element.tag == GUMBO_TAG_BUTTON) {
      type = absl::AsciiStrToLower(Attribute(element, "type"));
      if (type.empty()) type = "submit";
      value = Attribute(element, "value");
      sent = false;
    } else {
      type = absl::AsciiStrToLower(Attribute(element, "type"));
      if (type.empty()) type = "text";
      value = Attribute(element, "value");
      if (type == "checkbox" || type == "radio") {
        if (!HasAttribute(element, "value")) value = "on";
        sent = sent && HasAttribute(element, "checked");
      }
      if (type == "submit" || type == "button" || type == "image" || type == "reset") sent = false;
    }
    const std::string name = Attribute(element, "name");
    if (name.empty()) sent = false;
    controls.push_back({{"name", name}, {"type", type}, {"value", value}, {"sent", sent}});
  }

  // The selected option, or the first one, as a drop-down list shows it.
  static void SelectedOption(const GumboNode& node, std::string& value, bool& any, int depth) {
    const GumboVector* children = Children(node);
    for (unsigned i = 0; children != nullptr && i < children->length; ++i) {
      const auto& child = *static_cast<const GumboNode*>(children->data[i]);
      if (child.type == GUMBO_NODE_ELEMENT && child.v.element.tag == GUMBO_TAG_OPTION) {
        const bool selected = HasAttribute(child.v.element, "selected");
        if (!any || selected) {
          value = HasAttribute(child.v.element, "value") ? Attribute(child.v.element, "value") : TextOf(child);
          any = true;
        }
        if (selected) return;
      } else if (child.type == GUMBO_NODE_ELEMENT) {
        if (depth < 4) SelectedOption(child, value, any, depth + 1);
      }
    }
  }

  std::string base_;
  std::string title_, language_;
  json links_ = json::array();
  json forms_ = json::array();
  std::map<std::string, int> form_of_id_;  // of several the first, as browsers have it
};

std::string TextMember(const json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() || !found->is_string() ? "" : found->get<std::string>();
}

bool IsTrue(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

bool IsButton(const std::string& type) { return type == "submit" || type == "button" || type == "image"; }

}  // namespace

absl::StatusOr<std::string> PageJson(absl::string_view html, absl::string_view url) {
  if (html.size() > kMostBytes) return absl::InvalidArgumentError("the page is larger than 4 MiB");
  if (OpensTooMany(html)) return absl::InvalidArgumentError("the page opens more than 20,000 tags");
  Arena arena;
  GumboOptions options = kGumboDefaultOptions;
  options.allocator = Arena::Allocate;
  options.deallocator = Arena::Free;
  options.userdata = &arena;
  options.max_errors = 0;
  const GumboOutput* output = gumbo_parse_with_options(&options, html.data(), html.size());
  if (output == nullptr) return absl::InvalidArgumentError("the page cannot be parsed");
  Reader reader(url);
  reader.Walk(*output->root);
  const json page = reader.Finish(*output->root);
  return page.dump(-1, ' ', false, json::error_handler_t::replace);
}

absl::StatusOr<FormRequest> FillForm(const json& form, const std::vector<FilledField>& set, absl::string_view button) {
  if (!form.is_object() || !form.contains("action")) {
    return absl::InvalidArgumentError("is not a form: give one of .page.forms");
  }
  FormRequest request;
  request.action = TextMember(form, "action");
  request.method = absl::EqualsIgnoreCase(TextMember(form, "method"), "post") ? "POST" : "GET";
  if (absl::StrContains(absl::AsciiStrToLower(TextMember(form, "enctype")), "multipart")) {
    return absl::InvalidArgumentError("is sent as multipart/form-data, which only an `http` step can do");
  }
  std::vector<bool> used(set.size(), false);
  bool pressed = false;
  const auto add = [&](const std::string& name, const std::string& value) {
    bool replaced = false;
    for (size_t i = 0; i < set.size(); ++i) {
      if (set[i].first != name) continue;
      replaced = true;
      if (!used[i] && set[i].second) request.fields.emplace_back(name, *set[i].second);
      used[i] = true;
    }
    if (!replaced) request.fields.emplace_back(name, value);
  };
  if (const auto controls = form.find("controls"); controls != form.end() && controls->is_array()) {
    for (const json& control : *controls) {
      if (!control.is_object()) continue;
      const std::string name = TextMember(control, "name"), type = TextMember(control, "type");
      const bool is_set = std::any_of(set.begin(), set.end(), [&](const auto& one) { return one.first == name; });
      if (IsButton(type)) {
        const bool wanted = button.empty() ? type != "button" && !name.empty() : name == button;
        if (wanted && !pressed) {
          pressed = true;
          add(name, TextMember(control, "value"));
        }
      } else if (!name.empty() && (IsTrue(control, "sent") || is_set)) {
        add(name, TextMember(control, "value"));
      }
    }
    if (!button.empty() && !pressed) {
      return absl::InvalidArgumentError(absl::StrCat("has no button named \"", button, "\""));
    }
  } else if (const auto fields = form.find("fields"); fields != form.end() && fields->is_object()) {
    for (const auto& [name, value] : fields->items()) {
      if (value.is_string()) add(name, value.get<std::string>());
    }
  }
  for (size_t i = 0; i < set.size(); ++i) {
    if (!used[i] && set[i].second) request.fields.emplace_back(set[i].first, *set[i].second);
  }
  return request;
}

std::string FormEncode(const std::vector<std::pair<std::string, std::string>>& fields) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  const auto append = [&out](absl::string_view text) {
    for (char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (absl::ascii_isalnum(byte) || c == '*' || c == '-' || c == '.' || c == '_') {
        out.push_back(c);
      } else if (c == ' ') {
        out.push_back('+');
      } else {
        out.push_back('%');
        out.push_back(kHex[byte >> 4]);
        out.push_back(kHex[byte & 15]);
      }
    }
  };
  for (const auto& [name, value] : fields) {
    if (!out.empty()) out.push_back('&');
    append(name);
    out.push_back('=');
    append(value);
  }
  return out;
}

}  // namespace puckdrop::target
