#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "messages/units.h"

namespace avocet {

// Numbers as people read them: three or four significant digits, never an exponent below 1e9.

std::string FormatNumber(double value);                         ///< 0.0123, 1.83, 50, 1234
std::string FormatMillis(Duration value);                       ///< like FormatNumber, in ms, without unit
std::string FormatMillis(const std::optional<Duration>& value); ///< "-" when empty
std::string FormatPercent(double fraction);                     ///< "61 %", "0.4 %"
std::string FormatMebibytes(uint64_t bytes);                    ///< of MiB, without unit
std::string FormatBytes(uint64_t bytes);                        ///< "560 B", "4.2 KiB", "1.6 MiB"
std::string FormatScv(double scv);                              ///< like FormatNumber; 0 where it is rounding
std::string FormatDuration(Duration value);                     ///< "850 ms", "12.5 s", "3 min", "2.5 h"
std::string FormatTime(WallTime value);                         ///< "2024-05-01T12:03:11Z"

/// Without what is only rounding: of a device that always takes as long, 4.7e-32 is measured.
double RoundScv(double scv);

/// Rounded down to three significant digits, so that a quoted limit still fits.
double FloorTo3Digits(double value);

/// Both numbers with as many digits as distinguish them (at most 9).
std::pair<std::string, std::string> FormatApart(double a, double b);

} // namespace avocet
