#pragma once

#include "cli/config/config_reader.h"
#include "controller/placement/admission_policy.h"
#include "messages/application.h"

namespace avocet {

// Parts that several configuration files have in common. Wrong forms are reported to the table's file.

/// The keys of an app.toml. Ranges are left to Validate.
Application ReadApplication(ConfigTable& table);

/// The keys of [policy]. Ranges are left to Validate.
void ReadPolicy(ConfigTable table, Policy& out);

} // namespace avocet
