#include "cli/render/progress.h"

#include <algorithm>

#include <fmt/format.h>
#include <sys/ioctl.h>

#include "cli/render/table.h"

namespace avocet {
namespace {

constexpr size_t kBarColumns = 30;
constexpr size_t kDefaultWidth = 80;

std::string Bar(double fraction) {
  const auto full = static_cast<size_t>(fraction * kBarColumns);
  return std::string(full, '#') + std::string(kBarColumns - full, '.');
}

} // namespace

ProgressBar::ProgressBar(std::ostream& out, std::string label, Options options)
    : out_(out), label_(std::move(label)), options_(options) {}

ProgressBar::~ProgressBar() {
  if (open_) out_ << '\n' << std::flush;
}

void ProgressBar::Update(double fraction, const std::string& text) {
  if (finished_) return;
  fraction_ = std::max(fraction_, std::clamp(fraction, 0.0, 1.0));
  options_.terminal ? Draw(text) : Print(text);
}

void ProgressBar::Finish(const std::string& text) {
  if (finished_) return;
  Update(1, text);
  finished_ = true;
  if (open_) out_ << '\n' << std::flush;
  open_ = false;
}

void ProgressBar::Draw(const std::string& text) {
  const std::string line = fmt::format("{} [{}] {:3.0f} %  {}", label_, Bar(fraction_), fraction_ * 100, text);
  // One column stays free: a full line would wrap. \x1b[K clears what a longer line left behind.
  out_ << '\r' << CutToWidth(line, options_.width - std::min<size_t>(1, options_.width)) << "\x1b[K" << std::flush;
  open_ = true;
}

void ProgressBar::Print(const std::string& text) {
  if (fraction_ * 10 < next_tenth_) return;
  out_ << fmt::format("{}: {:.0f} %  {}\n", label_, fraction_ * 100, text) << std::flush;
  next_tenth_ = static_cast<int>(fraction_ * 10) + 1;
}

size_t TerminalWidth(int fd) {
  winsize size{};
  return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kDefaultWidth;
}

} // namespace avocet
