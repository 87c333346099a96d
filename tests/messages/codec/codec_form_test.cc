#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "messages/codec/codec.h"
#include "messages/codec/codec_reader.h"
#include "tests/messages/samples.h"

namespace avocet {
namespace {

using testing::HasSubstr;

/// The message of a valid value, changed, must be refused as corruption that names `field`.
template <class T, class Change> void ExpectRefused(const T& good, const Change& change, const std::string& field) {
  SCOPED_TRACE(field);
  auto proto = ToProto(good);
  ASSERT_EQ(FromProto(proto).status(), Status());
  change(proto);
  const Status status = FromProto(proto).status();
  EXPECT_EQ(status.code(), StatusCode::kCorruption);
  EXPECT_THAT(status.message(), HasSubstr(field));
}

TEST(CodecForm, RefusesAbsentParts) {
  ExpectRefused(
      SampleApplication(), [](auto& p) { p.clear_arrival(); }, "field 'arrival': missing");
  ExpectRefused(
      SampleApplication(), [](auto& p) { p.clear_objective(); }, "field 'objective': missing");
  ExpectRefused(
      SampleDecision(), [](auto& p) { p.clear_app(); }, "message Decision, field 'app': missing");
  ExpectRefused(
      SampleFit(), [](auto& p) { p.mutable_apps(0)->clear_rate(); }, "'apps.rate'");
  ExpectRefused(
      SampleFit(), [](auto& p) { p.mutable_models(0)->clear_service(); }, "'models.service'");
  ExpectRefused(
      SampleFit(), [](auto& p) { p.mutable_models(0)->clear_switched_service(); }, "'models.switched_service'");
  ExpectRefused(
      SampleWindow(), [](auto& p) { p.mutable_apps(1)->clear_interarrival(); }, "'apps.interarrival'");
  ExpectRefused(
      SampleWindow(), [](auto& p) { p.mutable_apps(1)->clear_service(); }, "'apps.service'");
  ExpectRefused(
      SampleWindow(), [](auto& p) { p.mutable_apps(1)->clear_switched_service(); }, "'apps.switched_service'");
  ExpectRefused(
      SampleWindow(), [](auto& p) { p.mutable_apps(1)->clear_response(); }, "'apps.response'");
  ExpectRefused(
      SampleWindow(), [](auto& p) { p.mutable_apps(1)->clear_response_sketch(); }, "'apps.response_sketch'");
}

TEST(CodecForm, RefusesAbsentEnumerators) {
  ExpectRefused(
      SampleModel(), [](auto& p) { p.mutable_variants(0)->clear_format(); }, "'variants.format': missing");
  ExpectRefused(
      SampleProfile(), [](auto& p) { p.clear_format(); }, "'format': missing");
  ExpectRefused(
      SampleApplication(), [](auto& p) { p.clear_rate_source(); }, "'rate_source': missing");
  ExpectRefused(
      SampleApplication(), [](auto& p) { p.mutable_arrival()->clear_kind(); }, "'arrival.kind': missing");
  ExpectRefused(
      SampleApplication(), [](auto& p) { p.mutable_objective()->clear_statistic(); }, "'objective.statistic': missing");
  ExpectRefused(
      SampleDevice(), [](auto& p) { p.clear_kind(); }, "'kind': missing");
  ExpectRefused(
      SampleDevice(), [](auto& p) { p.clear_discipline(); }, "'discipline': missing");
  ExpectRefused(
      SampleDevice(), [](auto& p) { p.clear_engine(); }, "'engine': missing");
  ExpectRefused(
      SamplePlacement(), [](auto& p) { p.clear_format(); }, "'format': missing");
  ExpectRefused(
      SamplePlacement(), [](auto& p) { p.clear_phase(); }, "'phase': missing");
  ExpectRefused(
      SampleDecision(), [](auto& p) { p.clear_kind(); }, "'kind': missing");
  ExpectRefused(
      SampleCommand(), [](auto& p) { p.clear_kind(); }, "'kind': missing");
  ExpectRefused(
      SampleCommand(), [](auto& p) { p.clear_format(); }, "'format': missing");
}

TEST(CodecForm, RefusesEnumeratorsOfALaterVersion) {
  ExpectRefused(
      SamplePlacement(), [](auto& p) { p.set_phase(static_cast<v1::PlacementPhase>(99)); },
      "'phase': the unknown enumerator 99");
  ExpectRefused(
      SampleApplication(), [](auto& p) { p.add_device_kinds(static_cast<v1::DeviceKind>(-1)); },
      "'device_kinds': the unknown enumerator -1");
}

TEST(CodecForm, RefusesNamesOfALaterVersion) {
  ExpectRefused(
      SampleDecision(), [](auto& p) { p.mutable_verdicts(0)->set_filter("power"); },
      "field 'verdicts.filter': the unknown filter 'power'");
  ExpectRefused(
      SampleDecision(), [](auto& p) { p.mutable_verdicts(0)->set_unit("W"); },
      "field 'verdicts.unit': the unknown unit 'W'");
}

TEST(CodecForm, RefusesWhatValidateRefuses) {
  ExpectRefused(
      SampleApplication(), [](auto& p) { p.set_rate_rps(-1); },
      "application 'door': field 'rate_rps' is -1; it must be > 0 and <= 1e6");
  ExpectRefused(
      SampleNode(), [](auto& p) { p.mutable_devices(1)->set_memory_bytes(0); }, "field 'memory_bytes' is 0");
  ExpectRefused(
      SampleDecision(), [](auto& p) { p.mutable_app()->set_name(""); }, "field 'app': application ''");
}

TEST(CodecForm, RefusesMalformedSketches) {
  ExpectRefused(
      SampleWindow(), [](auto& p) { p.mutable_apps(0)->mutable_response_sketch()->add_steps(0); },
      "'apps.response_sketch': not steps");
  TotalsSlot slot{.device = DeviceId("jetson-1/gpu0"), .apps = {{AppId("door"), {}}}};
  ExpectRefused(
      slot, [](auto& p) { p.mutable_apps(0)->mutable_totals()->mutable_response_sketch()->add_steps(1); },
      "'apps.totals': not steps");
}

TEST(CodecForm, RefusesTotalsOutOfOrder) {
  TotalsSlot slot{.device = DeviceId("jetson-1/gpu0"), .apps = {{AppId("door"), {}}, {AppId("gate"), {}}}};
  ExpectRefused(
      slot, [](auto& p) { p.mutable_apps()->SwapElements(0, 1); }, "field 'apps' is a list out of order");
  ExpectRefused(
      slot, [](auto& p) { p.clear_span(); }, "'span': missing");
  ExpectRefused(
      slot, [](auto& p) { p.set_number(-1); }, "field 'number' is -1");
  ExpectRefused(
      slot, [](auto& p) { p.mutable_apps(1)->mutable_totals()->set_measured_ns(-1); }, "field 'measured'");
}

TEST(CodecForm, RefusesBytesThatDoNotParseOrAreTooLong) {
  EXPECT_THAT(Decode<Event>("\xFF").status().message(), HasSubstr("message Event: 1 bytes do not parse"));
  const std::string too_long(kMaxMessageBytes + 1, '\0');
  EXPECT_THAT(Decode<Event>(too_long).status().message(), HasSubstr("longer than 64 MiB"));
}

TEST(CodecForm, IgnoresFieldsOfALaterVersion) {
  const std::string unknown_field = "\xF8\x7F\x01"; // field 2047, varint 1
  const Result<Event> event = Decode<Event>(Encode(SampleEvent()) + unknown_field);
  ASSERT_TRUE(event.ok()) << event.status().ToString();
  EXPECT_EQ(*event, SampleEvent());
}

TEST(CodecForm, SketchesTakeTheRoomOfTheirBuckets) {
  EXPECT_EQ(ToProto(SampleWindow()).apps(0).response_sketch().steps_size(), 1);
  EXPECT_LT(Encode(SampleWindow()).size(), 240U);
}

} // namespace
} // namespace avocet
