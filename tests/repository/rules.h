#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace avocet {

/// The rules of docs/ARCHITECTURE.md that the compiler cannot check. `path` is relative to the
/// repository; each complaint is "path:line: what, and which rule".

/// Which folder may include which, which sub-folder of a folder which other, and where each library may be used.
std::vector<std::string> CheckIncludes(std::string_view path, std::string_view source);

/// Whether a file stands in a folder, or sub-folder, that the table names.
std::vector<std::string> CheckRoom(std::string_view path);

/// Whether the table of sub-folders is an order: each may include only those that stand above it in the table.
std::vector<std::string> CheckRoomOrder();

/// controller/ and actors/protocol/ take data and return data: no clock, disk, log, thread, environment or chance.
/// No complaint about files elsewhere.
std::vector<std::string> CheckPurity(std::string_view path, std::string_view source);

/// A ClusterView is changed in one file, controller/cluster/cluster_changes.cc, so that `version` grows with every
/// change that matters. Tests and benches build views as they like.
std::vector<std::string> CheckViewEdits(std::string_view path, std::string_view source);

/// The types that a source defines directly in a named namespace, e.g. "avocet::Placement". Two of one name in one
/// program are undefined behaviour that no compiler or linker reports.
std::vector<std::string> NamedTypesOf(std::string_view source);

} // namespace avocet
