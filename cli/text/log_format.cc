#include "cli/text/log_format.h"

#include <string>

#include <spdlog/pattern_formatter.h>

#include "messages/printable.h"

namespace avocet {
namespace {

class PrintableMessage : public spdlog::custom_flag_formatter {
public:
  void format(const spdlog::details::log_msg& message, const std::tm& /*time*/, spdlog::memory_buf_t& line) override {
    const std::string text = Printable({message.payload.data(), message.payload.size()});
    line.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<PrintableMessage>(); }
};

} // namespace

std::unique_ptr<spdlog::formatter> MakeLogFormatter() {
  // As events have it: two machines' logs and events can be laid side by side.
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<PrintableMessage>('*').set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %*");
  return formatter;
}

} // namespace avocet
