#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/status.h"

namespace avocet {

// CSV as programs write it: a header, commas, no quoting.

std::vector<std::string_view> SplitCells(std::string_view line);
/// The finite number that is all of the cell.
std::optional<double> NumberIn(std::string_view cell);

/// Calls `read(number, line)` for each line that is not empty, from 1, without its end ("\n" or
/// "\r\n"), until one fails.
Status EachLine(std::string_view text, const std::function<Status(size_t, std::string_view)>& read);

/// kInvalidArgument: "file:line: what".
Status ProblemIn(const std::string& filename, size_t line, const std::string& what);

} // namespace avocet
