#include "cli/commands/usage_error.h"

#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "messages/suggest.h"

namespace avocet {
namespace {

/// The command that was chosen, as far as it was: `avocet node` of "avocet node lsit".
struct Chosen {
  const CLI::App* command;
  std::string name;
};

Chosen ChosenOf(const CLI::App& root) {
  Chosen chosen{&root, root.get_name()};
  for (auto next = root.get_subcommands(); !next.empty(); next = chosen.command->get_subcommands()) {
    chosen.command = next.front();
    chosen.name += " " + chosen.command->get_name();
  }
  return chosen;
}

std::vector<std::string> CommandsOf(const CLI::App& group) {
  std::vector<std::string> names;
  for (const CLI::App* command : group.get_subcommands(nullptr))
    names.push_back(command->get_name());
  return names;
}

std::vector<std::string> FlagsOf(const CLI::App& root, const CLI::App& command) {
  std::vector<std::string> flags;
  for (const CLI::App* app : {&command, &root})
    for (const CLI::Option* option : app->get_options())
      for (const std::string& name : option->get_lnames())
        flags.push_back("--" + name);
  return flags;
}

std::string ExplainFlag(const CLI::App& root, const Chosen& chosen, const std::string& flag) {
  const auto flags = FlagsOf(root, *chosen.command);
  const std::string bare = flag.substr(0, flag.find('='));
  const auto near = Nearest(bare, std::vector<std::string_view>(flags.begin(), flags.end()));
  if (near) return fmt::format("unknown flag '{}'; did you mean '{}'?", bare, *near);
  return fmt::format("unknown flag '{}'; `{} --help` lists those that there are", bare, chosen.name);
}

/// A word that no command and no argument took.
std::string ExplainStranger(const CLI::App& root, const std::string& word) {
  const Chosen chosen = ChosenOf(root);
  if (word.starts_with('-') && word != "-") return ExplainFlag(root, chosen, word);
  const auto commands = CommandsOf(*chosen.command);
  if (commands.empty()) return fmt::format("unexpected argument '{}'; see `{} --help`", word, chosen.name);
  return fmt::format("unknown command '{}'{}", word,
                     Suggestion(word, std::vector<std::string_view>(commands.begin(), commands.end())));
}

std::string ExplainMissing(const CLI::App& root, std::string_view what) {
  const Chosen chosen = ChosenOf(root);
  if (what.starts_with("A subcommand") && chosen.command == &root)
    return "no command was given; `avocet help` lists them";
  if (what.starts_with("A subcommand"))
    return fmt::format("`{}` needs a command: {}", chosen.name, fmt::join(CommandsOf(*chosen.command), ", "));

  constexpr std::string_view kEnd = " is required";
  if (what.ends_with(kEnd)) what.remove_suffix(kEnd.size());
  return fmt::format("{} is missing; see `{} --help`", what, chosen.name);
}

/// "--timeout" of "--timeout: 1 required FLOAT missing".
std::string ExplainMismatch(std::string_view what) {
  const size_t colon = what.find(": ");
  if (colon == std::string_view::npos || !what.ends_with(" missing")) return std::string(what);
  return fmt::format("{} needs a value", what.substr(0, colon));
}

/// "Could not convert: --seed = x": values whose validators know more never come here.
std::string ExplainConversion(std::string_view what) {
  constexpr std::string_view kBegin = "Could not convert: ";
  const size_t equals = what.find(" = ");
  if (!what.starts_with(kBegin) || equals == std::string_view::npos) return std::string(what);
  return fmt::format("{}: '{}' is not a number that it can be", what.substr(kBegin.size(), equals - kBegin.size()),
                     what.substr(equals + 3));
}

} // namespace

Status ExplainUsage(const CLI::App& root, const CLI::ParseError& error) {
  const auto strangers = root.remaining(true);
  if (!strangers.empty()) return InvalidArgument(ExplainStranger(root, strangers.front()));

  const std::string what = error.what();
  switch (static_cast<CLI::ExitCodes>(error.get_exit_code())) {
  case CLI::ExitCodes::RequiredError:
    return InvalidArgument(ExplainMissing(root, what));
  case CLI::ExitCodes::ArgumentMismatch:
    return InvalidArgument(ExplainMismatch(what));
  case CLI::ExitCodes::ConversionError:
    return InvalidArgument(ExplainConversion(what));
  default:
    return InvalidArgument(what);
  }
}

} // namespace avocet
