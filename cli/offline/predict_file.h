#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/offline/predict.h"
#include "messages/status.h"

namespace avocet {

inline constexpr size_t kMaxPredictDevices = 1000;
inline constexpr size_t kMaxPredictApps = 256; ///< on one device

/// The file of `avocet predict`: [[device]] with discipline, cores, name and [[device.app]] with name, model,
/// rate_rps, service_ms, scv (or service_parts: probability, mean_ms, scv of each), arrival_scv, switch_ms, tail_ms,
/// rate_observations, service_observations, switch_error_ms, objective. TOML, or JSON of equal structure when the
/// text begins with a brace. Applications with the same `model` share it; each has its own where none is named. Errors
/// as in config_files.h; unknown keys are errors.
Result<std::vector<PredictDevice>> ParsePredictFile(std::string_view text, const std::string& filename);

} // namespace avocet
