#include "cli/render/load_display.h"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>
#include <sys/ioctl.h>

#include "cli/render/format.h"
#include "cli/render/table.h"

namespace avocet {
namespace {

constexpr size_t kOtherLines = 3; // time, header, what did not fit
constexpr size_t kDefaultHeight = 24;

std::string Counts(const LoadProgress& progress) {
  uint64_t ok = 0;
  uint64_t failed = 0;
  for (const AppLoadProgress& app : progress.apps) {
    ok += app.ok;
    failed += app.failed + app.dropped;
  }
  return fmt::format("{} ok, {} failed", ok, failed);
}

std::string Table(const LoadProgress& progress, size_t most_rows) {
  TextTable table({{"APPLICATION"},
                   {"SENT", Align::kRight},
                   {"OK", Align::kRight},
                   {"FAILED", Align::kRight},
                   {"DROPPED", Align::kRight},
                   {"IN FLIGHT", Align::kRight},
                   {"RPS NOW", Align::kRight},
                   {"P50 MS", Align::kRight},
                   {"P99 MS", Align::kRight}});

  for (const AppLoadProgress& app : progress.apps) {
    // A table taller than the terminal could not be redrawn in place.
    if (table.size() == most_rows) break;
    table.Add({app.app.str(), std::to_string(app.sent), std::to_string(app.ok), std::to_string(app.failed),
               std::to_string(app.dropped), std::to_string(app.outstanding), FormatNumber(app.ok_rps),
               FormatMillis(app.p50), FormatMillis(app.p99)});
  }

  std::string text = table.Render();
  if (table.size() < progress.apps.size()) text += fmt::format("and {} more\n", progress.apps.size() - table.size());
  return text;
}

} // namespace

LoadDisplay::LoadDisplay(std::ostream& out, Options options) : out_(out), options_(options), bar_(out, "load", {}) {}

void LoadDisplay::Update(const LoadProgress& progress) {
  if (options_.terminal)
    Draw(progress);
  else
    bar_.Update(ToSeconds(progress.elapsed) / ToSeconds(progress.planned), Counts(progress));
}

void LoadDisplay::Finish() {
  if (!options_.terminal) bar_.Finish("done");
}

void LoadDisplay::Draw(const LoadProgress& progress) {
  const size_t rows = options_.height > kOtherLines + 1 ? options_.height - kOtherLines - 1 : 1;
  std::istringstream lines(
      fmt::format("{} of {}\n", FormatDuration(progress.elapsed), FormatDuration(progress.planned)) +
      Table(progress, rows));
  std::string text = drawn_ > 0 ? fmt::format("\x1b[{}A", drawn_) : ""; // up to where it began
  drawn_ = 0;
  // One column stays free: a full line would wrap. \x1b[K clears what a longer line left behind.
  for (std::string line; std::getline(lines, line); ++drawn_)
    text += CutToWidth(line, options_.width - std::min<size_t>(1, options_.width)) + "\x1b[K\n";
  out_ << text << std::flush;
}

size_t TerminalHeight(int fd) {
  winsize size{};
  return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : kDefaultHeight;
}

} // namespace avocet
