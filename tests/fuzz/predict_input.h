#pragma once

#include <string>
#include <string_view>

namespace avocet {

/// Gives the text to `avocet predict` as a file of devices and as a file of cases, without simulations, and asks
/// every reply whether it makes sense: errors name the file; answers are finite and in order. Returns what does
/// not; empty where all is well.
std::string ProblemWithPredictInput(std::string_view text);

} // namespace avocet
