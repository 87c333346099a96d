#pragma once

#include "controller/planning/linear_program.h"

namespace avocet {

/// COIN-OR Cbc, loaded now: agents and controllers do not carry its libraries. kNotFound when it is not installed.
/// The solver may be copied; one call at a time.
Result<LinearSolver> LoadCbc();

} // namespace avocet
