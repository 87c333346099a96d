#pragma once

// toml++, header only, with the same settings everywhere it is included: few .cc files, as it compiles slowly.
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
// Some of its assertions fail on malformed files that it refuses a line later.
#define TOML_ASSERT(expr) static_assert(true)
#include <toml++/toml.h>
