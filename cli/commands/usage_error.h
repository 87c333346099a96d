#pragma once

#include <CLI/CLI.hpp>

#include "messages/status.h"

namespace avocet {

/// What is wrong with a command line that `root` refused with `error`, in the words of all other errors: which word,
/// what would be right, or which --help says it. kInvalidArgument.
Status ExplainUsage(const CLI::App& root, const CLI::ParseError& error);

} // namespace avocet
