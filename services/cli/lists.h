// `puckdrop checks` and `puckdrop plan …`: what needs no target.
#ifndef PUCKDROP_SERVICES_CLI_LISTS_H_
#define PUCKDROP_SERVICES_CLI_LISTS_H_

#include <string>

#include "services/cli/plan_files.h"

namespace puckdrop::cli {

// The list of checks of this binary, as Markdown or JSON.
std::string ChecksMarkdown();
std::string ChecksJson();

// 0 the plan is right, 3 it is not, 70.
int RunPlanCheck(const PlanFiles& files);
// How much of the catalogue the plan lets us judge.
int RunPlanCoverage(const PlanFiles& files);
// Writes a starter plan to `file` ("-": stdout), never over one that is there.
int RunPlanInit(const std::string& file);
// Prints the plan language's JSON Schema.
int RunPlanSchema();

}  // namespace puckdrop::cli

#endif  // PUCKDROP_SERVICES_CLI_LISTS_H_
