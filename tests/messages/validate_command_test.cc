#include "messages/command.h"

#include <gmock/gmock.h>

#include "messages/text.h"
#include "tests/messages/samples.h"
#include "tests/messages/validate_cases.h"

namespace avocet {
namespace {

TEST(ValidateCommand, NamesTheFirstBrokenRule) {
  const auto stop = [](Command& c) { c.kind = CommandKind::kStop; };
  ExpectValidate<Command>(SampleCommand(),
                          {{[](auto& c) { c.epoch = 0; }, "command 'start': field 'epoch' is 0; it must be >= 1"},
                           {[](auto& c) { c.device = DeviceId("gpu0"); }, "field 'device'"},
                           {[](auto& c) { c.app = AppId(); }, "field 'app'"},
                           {[](auto& c) { c.model = ModelId(); }, "field 'model'"},
                           {[](auto& c) { c.file = Sha256(); }, "field 'file'"},
                           {stop, ""},
                           {[=](auto& c) { stop(c), c.model = ModelId(), c.file = Sha256(); }, ""},
                           {[=](auto& c) { stop(c), c.model = ModelId("x"); }, "command 'stop': field 'model' is 'x'"},
                           {[=](auto& c) { stop(c), c.file = Sha256("x"); }, "field 'file' is 'x'"},
                           {[](auto& c) { c.epoch = kMaxEpoch; }, ""},
                           {[](auto& c) { c.epoch = kMaxEpoch + 1; }, "field 'epoch' is 9223372036854775808"},
                           {[=](auto& c) { stop(c), c.epoch = 0; }, "field 'epoch'"}});
}

TEST(ValidateReport, IsThatOfAPlacementWhichIsNotLost) {
  auto running = SamplePlacement();
  EXPECT_EQ(ValidateReport(running), Status());
  running.epoch = 0;
  EXPECT_THAT(ValidateReport(running).message(), testing::HasSubstr("running application 'door': "));
  EXPECT_THAT(ValidateReport(running).message(), testing::HasSubstr("field 'epoch'"));

  running = SamplePlacement();
  running.phase = PlacementPhase::kLost;
  EXPECT_THAT(ValidateReport(running).message(), testing::HasSubstr("is 'lost'; it must be starting, ready or failed"));
}

TEST(ValidateEvent, NamesTheFirstBrokenRule) {
  ExpectValidate<Event>(
      SampleEvent(),
      {{[](auto& e) { e.kind = ""; }, "event '': field 'kind'"},
       {[](auto& e) { e.kind = "two words"; }, "field 'kind'"},
       {[](auto& e) { e.subject = ""; }, ""},
       {[](auto& e) { e.subject = std::string(kMaxLabelBytes, 's'); }, ""},
       {[](auto& e) { e.subject = std::string(kMaxLabelBytes + 1, 's'); }, "event 'app_admitted': field 'subject'"},
       {[](auto& e) { e.detail = std::string(kMaxTextBytes, 'd'); }, ""},
       {[](auto& e) { e.detail = std::string(kMaxTextBytes + 1, 'd'); }, "field 'detail'"}});
}

} // namespace
} // namespace avocet
