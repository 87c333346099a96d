#include "cli/commands/flags.h"

#include <cmath>
#include <functional>
#include <optional>

#include <fmt/format.h>

#include "messages/suggest.h"

namespace avocet {
namespace {

std::optional<double> ParseNumber(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !std::isfinite(value)) return std::nullopt;
  return value;
}

CLI::Validator Number(const std::string& rule, std::function<bool(double)> holds) {
  const auto check = [rule, holds = std::move(holds)](const std::string& text) -> std::string {
    const auto value = ParseNumber(text);
    if (!value) return fmt::format("'{}' is not a number; it must be {}", text, rule);
    return holds(*value) ? "" : fmt::format("{} is not allowed; it must be {}", text, rule);
  };
  return {[check](std::string& text) { return check(text); }, rule};
}

} // namespace

CLI::Validator OneOf(std::vector<std::string> words) {
  std::string all = fmt::format("{}", fmt::join(words, ", "));
  const auto check = [words = std::move(words), all](const std::string& text) -> std::string {
    if (std::find(words.begin(), words.end(), text) != words.end()) return "";
    const auto near = Nearest(text, std::vector<std::string_view>(words.begin(), words.end()));
    return fmt::format("'{}' is none of {}{}", text, all, near ? fmt::format("; did you mean '{}'?", *near) : "");
  };
  return {[check](std::string& text) { return check(text); }, ""};
}

CLI::Validator Within(double low, double high) {
  return Number(fmt::format("{} to {}", low, high), [=](double value) { return value >= low && value <= high; });
}

CLI::Validator Above(double low) {
  return Number(fmt::format("> {}", low), [=](double value) { return value > low; });
}

CLI::Validator NotNegative() {
  return Number(">= 0", [](double value) { return value >= 0; });
}

} // namespace avocet
