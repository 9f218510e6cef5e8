#include "services/cli/completion.h"

#include <CLI/CLI.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace puckdrop::cli {
namespace {

constexpr char kPaths[] = "ordering cancellation device_support playback billing";

// `text` for between single quotes.
std::string Quoted(const std::string& text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

// The shell's words for what an option or argument takes; empty when nobody can guess.
std::string Values(const CLI::Option& option, const std::string& checks) {
  const std::string type = option.get_type_name();
  const size_t open = type.find('{');
  const size_t close = type.find('}');
  if (open != std::string::npos && close != std::string::npos && close > open) {
    const std::vector<std::string> words = absl::StrSplit(type.substr(open + 1, close - open - 1), ',');
    return absl::StrCat("compgen -W ", Quoted(absl::StrJoin(words, " ")));
  }
  if (absl::StartsWith(type, "FILE") || type == "KIND=FILE") return "compgen -f";
  if (absl::StartsWith(type, "DIR")) return "compgen -d";
  if (absl::StartsWith(type, "PATH")) return absl::StrCat("compgen -W ", Quoted(kPaths));
  if (type == "CHECK" || (type == "ID" && option.check_name("--check"))) {
    return absl::StrCat("compgen -W ", Quoted(checks));
  }
  return "";
}

struct Script {
  std::string commands;  // patterns of `case` that make a command longer
  std::string values;    // of the option before
  std::string words;     // of a command
};

void Walk(const CLI::App& app, const std::string& path, const std::string& checks, Script& script) {
  std::vector<std::string> words;
  std::string positional;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    words.push_back(sub->get_name());
    absl::StrAppend(&script.commands, script.commands.empty() ? "" : "|",
                    Quoted(absl::StrCat(path, " ", sub->get_name())));
  }
  for (const CLI::Option* option : app.get_options([](const CLI::Option*) { return true; })) {
    const std::string values = Values(*option, checks);
    if (option->get_positional()) {
      if (!values.empty()) positional = values;
      continue;
    }
    for (const std::string& name : option->get_lnames()) {
      words.push_back(absl::StrCat("--", name));
      if (option->get_items_expected_max() == 0) continue;
      absl::StrAppend(&script.values, "    ", Quoted(absl::StrCat(path, " --", name)), ") COMPREPLY=(",
                      values.empty() ? "" : absl::StrCat("$(", values, " -- \"$cur\")"), "); return ;;\n");
    }
  }
  absl::StrAppend(
      &script.words, "    ", Quoted(path), ") words=", Quoted(absl::StrJoin(words, " ")),
      positional.empty() ? "" : absl::StrCat("; [[ $cur == -* ]] || more=($(", positional, " -- \"$cur\"))"), " ;;\n");
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    Walk(*sub, absl::StrCat(path, " ", sub->get_name()), checks, script);
  }
}

}  // namespace

std::string CompletionScript(const CLI::App& app, const std::string& shell, const std::vector<std::string>& checks) {
  if (shell != "bash" && shell != "zsh") return "";
  Script script;
  Walk(app, "puckdrop", absl::StrJoin(checks, " "), script);
  return absl::StrCat(
      "# Completion of puckdrop. In ~/.", shell, "rc: source <(puckdrop completion ", shell, ")\n",
      shell == "zsh" ? "autoload -U +X compinit && compinit -u\nautoload -U +X bashcompinit && bashcompinit\n" : "",
      "_puckdrop() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} path=puckdrop words='' i\n"
      "  local -a more=()\n"
      "  COMPREPLY=()\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    case \"$path ${COMP_WORDS[i]}\" in\n"
      "    ",
      script.commands,
      ") path=\"$path ${COMP_WORDS[i]}\" ;;\n"
      "    esac\n"
      "  done\n"
      "  case \"$path $prev\" in\n",
      script.values,
      "  esac\n"
      "  case \"$path\" in\n",
      script.words,
      "  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\") \"${more[@]}\")\n"
      "}\n"
      "complete -F _puckdrop puckdrop\n");
}

}  // namespace puckdrop::cli
