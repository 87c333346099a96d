#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cli/offline/predict.h"
#include "cli/offline/predict_cases.h"
#include "cli/render/render.h"

namespace avocet {

std::string Render(const std::vector<PredictedDevice>& devices, const RenderOptions& options);

/// With their ids, in the same order.
std::string Render(const std::vector<std::pair<std::string, CaseAnswer>>& cases, const RenderOptions& options);

} // namespace avocet
