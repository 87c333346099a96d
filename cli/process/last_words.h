#pragma once

namespace avocet {

/// From now on a process that can go on no more for want of memory, threads or descriptors says so in one line on
/// stderr and ends with exit code 1, whichever thread notices; without it the process would abort without a word.
/// Other exceptions that nobody catches are named, and abort as ever: they are bugs.
void InstallLastWords();

} // namespace avocet
