#pragma once

#include <string>

#include "cli/render/render.h"
#include "controller/planning/trace_replay.h"

namespace avocet {

std::string Render(const TraceReport& report, const RenderOptions& options);

} // namespace avocet
