#include "messages/ids.h"

#include <unordered_set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "messages/units.h"
#include "tests/support/arbitrary.h"

namespace avocet {
namespace {

TEST(Name, AcceptsLettersDigitsAndInnerMarks) {
  const std::vector<std::string> good = {"a", "Z", "0", "jetson-1", "a_b.c-D", "a..", std::string(63, 'x')};
  for (const std::string& text : good)
    EXPECT_TRUE(IsName(text)) << text;
}

TEST(Name, RefusesTheRest) {
  const std::vector<std::string> bad = {"",
                                        "-a",
                                        "_a",
                                        ".a",
                                        "a b",
                                        "a/b",
                                        "a:b",
                                        "a|b",
                                        "a\n",
                                        "\xC3\xA4",
                                        std::string("a\0b", 3),
                                        std::string(64, 'x')};
  for (const std::string& text : bad)
    EXPECT_FALSE(IsName(text)) << text;
}

TEST(Version, IsUpTo18DigitsWithoutLeadingZero) {
  for (const char* text : {"0", "1", "42", "999999999999999999"})
    EXPECT_TRUE(IsVersion(text)) << text;
  for (const char* text : {"", "01", "00", "1a", "-1", "+1", " 1", "1.0", "1000000000000000000"}) {
    EXPECT_FALSE(IsVersion(text)) << text;
  }
}

TEST(Sha256, Is64LowerCaseHexDigits) {
  EXPECT_TRUE(IsSha256(Sha256(std::string(32, '0') + std::string(32, 'f'))));
  EXPECT_FALSE(IsSha256(Sha256(std::string(63, '0'))));
  EXPECT_FALSE(IsSha256(Sha256(std::string(65, '0'))));
  EXPECT_FALSE(IsSha256(Sha256(std::string(64, 'A'))));
  EXPECT_FALSE(IsSha256(Sha256(std::string(64, 'g'))));
}

TEST(ModelName, SplitsAtTheColon) {
  EXPECT_EQ(ParseModelName("pose"), (ModelName{"pose", ""}));
  EXPECT_EQ(ParseModelName("pose:12"), (ModelName{"pose", "12"}));
  for (const char* text : {"", ":", "pose:", ":1", "pose:x", "pose:1:2", "po se:1", "pose:01"}) {
    EXPECT_FALSE(ParseModelName(text)) << text;
  }
}

TEST(ModelId, NeedsAVersion) {
  EXPECT_TRUE(IsModelId(ModelId("pose:1")));
  EXPECT_FALSE(IsModelId(ModelId("pose")));
  EXPECT_FALSE(IsModelId(ModelId()));
}

TEST(DeviceId, SplitsAtTheSlash) {
  EXPECT_EQ(ParseDeviceId("jetson-1/gpu0"), (DeviceName{NodeId("jetson-1"), "gpu0"}));
  for (const char* text : {"", "/", "a/", "/b", "a", "a/b/c", "a /b"})
    EXPECT_FALSE(ParseDeviceId(text)) << text;
}

RC_GTEST_PROP(DeviceId, SplitsIntoWhatItWasMadeOf, ()) {
  const NodeId node(*ValidName());
  const std::string device = *ValidName();
  RC_ASSERT(IsDeviceId(MakeDeviceId(node, device)));
  RC_ASSERT(ParseDeviceId(MakeDeviceId(node, device).str()) == (DeviceName{node, device}));
}

RC_GTEST_PROP(ModelId, SplitsIntoWhatItWasMadeOf, ()) {
  const std::string name = *ValidName();
  const std::string version = *ValidVersion();
  RC_ASSERT(IsModelId(MakeModelId(name, version)));
  RC_ASSERT(ParseModelName(MakeModelId(name, version).str()) == (ModelName{name, version}));
}

TEST(Id, OrdersAndHashesLikeItsText) {
  EXPECT_LT(AppId("a"), AppId("b"));
  EXPECT_EQ(AppId("a"), AppId("a"));
  const std::unordered_set<AppId> set{AppId("a"), AppId("a"), AppId("b")};
  EXPECT_EQ(set.size(), 2U);
}

TEST(Units, SecondsRoundToTheNearestNanosecond) {
  EXPECT_EQ(FromSeconds(1.5e-9), Duration(2));
  EXPECT_EQ(FromSeconds(-1.5e-9), Duration(-2));
  EXPECT_EQ(FromMillis(0.25), Duration(250'000));
  EXPECT_DOUBLE_EQ(ToMillis(Duration(1'500'000)), 1.5);
}

RC_GTEST_PROP(Units, SecondsKeepDurationsUpToAnHour, ()) {
  const Duration duration = *DurationBetween(-std::chrono::hours(1), std::chrono::hours(1));
  RC_ASSERT(FromSeconds(ToSeconds(duration)) == duration);
}

} // namespace
} // namespace avocet
