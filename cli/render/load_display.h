#pragma once

#include <cstddef>
#include <ostream>

#include "cli/load/load_client.h"
#include "cli/render/progress.h"

namespace avocet {

/// A run as it goes: on a terminal a table that is drawn over and over, otherwise a plain line for
/// every tenth. Not thread-safe.
class LoadDisplay {
public:
  struct Options {
    bool terminal = false; ///< whether `out` is one
    size_t width = 80;     ///< of the terminal, in columns
    size_t height = 24;    ///< in lines; applications that do not fit are counted
  };
  /// `out` (stderr: results go to stdout) must outlive the display.
  LoadDisplay(std::ostream& out, Options options);

  void Update(const LoadProgress& progress);
  /// The plain lines' end, or nothing: the table stays as it is.
  void Finish();

private:
  void Draw(const LoadProgress& progress);

  std::ostream& out_;
  Options options_;
  ProgressBar bar_;
  size_t drawn_ = 0; ///< lines of the table that stands there
};

/// Lines of the terminal behind the descriptor; 24 when it is none.
size_t TerminalHeight(int fd);

} // namespace avocet
