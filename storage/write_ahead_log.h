#pragma once

#include <filesystem>

#include "messages/status.h"

namespace avocet {

/// Looks for damage in the write-ahead logs of a RocksDB folder that nobody has open. RocksDB reads a log up to the
/// first record that is not whole: right for its end, which a power cut may have torn, but behind a damaged record in
/// its middle it forgets everything without a word. As every write is synced before the next one begins, whole
/// records behind a broken one prove that the broken one was acknowledged.
///
/// kCorruption: there are such records; names the file, the byte and what can be done. Ok where there is no log.
/// What it cannot see: a damaged last record looks like a torn one. Changes nothing.
Status CheckWriteAheadLogs(const std::filesystem::path& directory);

} // namespace avocet
