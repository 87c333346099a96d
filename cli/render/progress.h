#pragma once

#include <cstddef>
#include <ostream>
#include <string>

namespace avocet {

/// Shows how far something is: one line that is redrawn on a terminal, otherwise a plain line for
/// every tenth. Not thread-safe.
class ProgressBar {
public:
  struct Options {
    bool terminal = false; ///< whether `out` is one
    size_t width = 80;     ///< of the terminal, in columns
  };
  /// `out` (stderr: results go to stdout) must outlive the bar.
  ProgressBar(std::ostream& out, std::string label, Options options);
  /// Ends the line if Finish() was not called.
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// `fraction` is clamped to [0, 1] and never shown to go back.
  void Update(double fraction, const std::string& text);
  /// Shows the end and closes the line; later calls do nothing.
  void Finish(const std::string& text);

private:
  void Draw(const std::string& text);
  void Print(const std::string& text);

  std::ostream& out_;
  std::string label_;
  Options options_;
  double fraction_ = 0;
  int next_tenth_ = 0;
  bool open_ = false;
  bool finished_ = false;
};

/// Columns of the terminal behind the descriptor; 80 when it is none.
size_t TerminalWidth(int fd);

} // namespace avocet
