#include "messages/application.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/messages/samples.h"
#include "tests/messages/validate_cases.h"
#include "tests/support/arbitrary.h"

namespace avocet {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(ValidateApplication, NamesTheFirstBrokenRule) {
  ExpectValidate<Application>(
      SampleApplication(),
      {{[](auto& a) { a.name = AppId("d oor"); }, "application 'd oor': field 'name' is 'd oor'"},
       {[](auto& a) { a.model = "pose:3"; }, ""},
       {[](auto& a) { a.model = ""; }, "application 'door': field 'model' is ''"},
       {[](auto& a) { a.model = "pose:x"; }, "field 'model' is 'pose:x'; it must be <name> or <name>:<version>"},
       {[](auto& a) { a.tenant = ""; }, "field 'tenant'"},
       {[](auto& a) { a.priority = 0; }, ""},
       {[](auto& a) { a.priority = -1; }, "field 'priority' is -1; it must be from 0 to 100"},
       {[](auto& a) { a.priority = 100; }, ""},
       {[](auto& a) { a.priority = 101; }, "field 'priority' is 101"},
       {[](auto& a) {
          a.device_kinds = {DeviceKind::kGpu, DeviceKind::kCpu};
        },
        ""},
       {[](auto& a) {
          a.device_kinds = {DeviceKind::kGpu, DeviceKind::kGpu};
        },
        "field 'device_kinds'"}});
}

TEST(ValidateApplication, BoundsTheRate) {
  ExpectValidate<Application>(
      SampleApplication(),
      {{[](auto& a) { a.rate_rps = -1; }, "application 'door': field 'rate_rps' is -1; it must be > 0 and <= 1e6"},
       {[](auto& a) { a.rate_rps = 0; }, "field 'rate_rps' is 0"},
       {[](auto& a) { a.rate_rps = 1e-9; }, ""},
       {[](auto& a) { a.rate_rps = kMaxRateRps; }, ""},
       {[](auto& a) { a.rate_rps = std::nextafter(kMaxRateRps, 2e6); }, "field 'rate_rps' is 1000000.0000000001"},
       {[](auto& a) { a.rate_rps = kInfinity; }, "field 'rate_rps' is inf"},
       {[](auto& a) { a.rate_rps = std::nan(""); }, "field 'rate_rps' is nan"}});
}

TEST(ValidateApplication, TiesTheScvToTheArrivalKind) {
  ExpectValidate<Application>(SampleApplication(), {{[](auto& a) {
                                                       a.arrival = {ArrivalKind::kPoisson, 0.5};
                                                     },
                                                     "field 'scv' is 0.5; it must be 1 for poisson"},
                                                    {[](auto& a) {
                                                       a.arrival = {ArrivalKind::kPeriodic, 0};
                                                     },
                                                     ""},
                                                    {[](auto& a) {
                                                       a.arrival = {ArrivalKind::kPeriodic, 1};
                                                     },
                                                     "it must be 0 for periodic"},
                                                    {[](auto& a) {
                                                       a.arrival = {ArrivalKind::kScv, 0};
                                                     },
                                                     ""},
                                                    {[](auto& a) {
                                                       a.arrival = {ArrivalKind::kScv, 100};
                                                     },
                                                     ""},
                                                    {[](auto& a) {
                                                       a.arrival = {ArrivalKind::kScv, 100.5};
                                                     },
                                                     "field 'scv' is 100.5; it must be from 0 to 100"},
                                                    {[](auto& a) {
                                                       a.arrival = {ArrivalKind::kScv, -0.5};
                                                     },
                                                     "field 'scv' is -0.5"},
                                                    {[](auto& a) {
                                                       a.arrival = {ArrivalKind::kScv, std::nan("")};
                                                     },
                                                     "field 'scv' is nan"}});
}

TEST(ValidateApplication, BoundsItsTimes) {
  ExpectValidate<Application>(
      SampleApplication(),
      {{[](auto& a) { a.objective.latency = Duration(1); }, ""},
       {[](auto& a) { a.objective.latency = Duration(0); }, "field 'objective.latency' is 0 ms"},
       {[](auto& a) { a.objective.latency = hours(1); }, ""},
       {[](auto& a) { a.objective.latency = hours(1) + Duration(1); }, "field 'objective.latency'"},
       {[](auto& a) { a.network_allowance = Duration(-1); }, "field 'network_allowance'"},
       {[](auto& a) { a.network_allowance = milliseconds(50) - Duration(1); }, ""},
       {[](auto& a) { a.network_allowance = milliseconds(50); }, "is 50 ms; it must be >= 0 and less than objective"},
       {[](auto& a) { a.preprocess = Duration(-1); }, "field 'preprocess'"},
       {[](auto& a) { a.preprocess = hours(1); }, ""},
       {[](auto& a) { a.preprocess = hours(1) + Duration(1); }, "field 'preprocess'"}});
}

TEST(Arrival, HasATextThatReadsBack) {
  EXPECT_EQ(ToString(Arrival{ArrivalKind::kPoisson, 1}), "poisson");
  EXPECT_EQ(ToString(Arrival{ArrivalKind::kPeriodic, 0}), "periodic");
  EXPECT_EQ(ToString(Arrival{ArrivalKind::kScv, 0.5}), "scv:0.5");
  EXPECT_EQ(ParseArrival("scv:1e1"), (Arrival{ArrivalKind::kScv, 10}));
  for (const char* bad : {"", "Poisson", "scv", "scv:", "scv:-1", "scv:100.1", "scv:nan", "scv:inf", "scv:1 ", "scv: 1",
                          "scv:1x", "poisson:1"}) {
    EXPECT_FALSE(ParseArrival(bad)) << bad;
  }
}

RC_GTEST_PROP(Arrival, TextOfAnyValidOneReadsBack, (const Application& app)) {
  RC_ASSERT(ParseArrival(ToString(app.arrival)) == app.arrival);
}

} // namespace
} // namespace avocet
