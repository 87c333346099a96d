#include "controller/queueing/request_source.h"

#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "messages/measurement.h"
#include "tests/controller/queueing/any_load.h"

namespace avocet {
namespace {

/// What a source drew, by application.
struct Drawn {
  std::vector<Moments> gaps, work;
  std::vector<double> last;
  double end_s = 0;

  Drawn(const std::vector<AppLoad>& apps, uint64_t seed, int requests)
      : gaps(apps.size()), work(apps.size()), last(apps.size(), 0) {
    RequestSource source(apps, seed);
    for (int i = 0; i < requests; ++i) {
      const auto request = source.Next();
      gaps[request.app].Add(request.arrival_s - last[request.app]);
      work[request.app].Add(request.work_s);
      last[request.app] = end_s = request.arrival_s;
    }
  }
};

std::vector<AppLoad> Apps(const std::vector<LoadRow>& rows) {
  return MakeLoad(Discipline::kFifo, rows).apps;
}

std::vector<AppLoad> Renewal(double rate, double arrival_scv) {
  auto apps = Apps({{rate, 0.01}});
  apps[0].arrival_scv = arrival_scv;
  return apps;
}

TEST(RequestSource, IsAFunctionOfTheSeed) {
  const auto apps = Apps({{5, 0.1, 1}, {3, 0.2}});
  RequestSource a(apps, 7), b(apps, 7), other(apps, 8);
  bool differs = false;
  for (int i = 0; i < 1000; ++i) {
    const auto x = a.Next(), y = b.Next(), z = other.Next();
    ASSERT_EQ(x.app, y.app);
    ASSERT_EQ(x.arrival_s, y.arrival_s);
    ASSERT_EQ(x.work_s, y.work_s);
    differs = differs || x.arrival_s != z.arrival_s;
  }
  EXPECT_TRUE(differs);
}

TEST(RequestSource, PoissonArrivalsHaveTheRateOfEach) {
  const Drawn drawn(Apps({{8, 0.1}, {2, 0.1}, {0.5, 0.1}}), 1, 200000);
  const double seconds = drawn.end_s;
  EXPECT_NEAR(static_cast<double>(drawn.gaps[0].count) / seconds, 8, 0.1);
  EXPECT_NEAR(static_cast<double>(drawn.gaps[1].count) / seconds, 2, 0.05);
  EXPECT_NEAR(static_cast<double>(drawn.gaps[2].count) / seconds, 0.5, 0.03);
}

TEST(RequestSource, PoissonIntervalsAreExponential) {
  const Drawn drawn(Apps({{8, 0.1}, {2, 0.1}}), 1, 200000);
  EXPECT_NEAR(drawn.gaps[0].scv(), 1, 0.03);
  EXPECT_NEAR(drawn.gaps[1].scv(), 1, 0.05);
}

TEST(RequestSource, RenewalsHaveTheirRateAndVariation) {
  for (const double scv : {0.25, 4.0}) {
    const Drawn drawn(Renewal(10, scv), 5, 200000);
    EXPECT_NEAR(drawn.gaps[0].mean(), 0.1, 0.003) << scv;
    EXPECT_NEAR(drawn.gaps[0].scv() / scv, 1, 0.05) << scv;
  }
}

TEST(RequestSource, EvenlySpacedArrivalsHaveADrawnPhase) {
  RequestSource source(Renewal(10, 0), 5), other(Renewal(10, 0), 6);
  const double first = source.Next().arrival_s;
  EXPECT_GE(first, 0);
  EXPECT_LT(first, 0.1);
  EXPECT_NE(first, other.Next().arrival_s);
  for (int i = 1; i < 100; ++i)
    EXPECT_NEAR(source.Next().arrival_s, first + 0.1 * i, 1e-9);
}

TEST(RequestSource, MixesRenewalsWithPoissonArrivals) {
  auto apps = Apps({{10, 0.01}, {20, 0.01}, {5, 0.01}});
  apps[1].arrival_scv = 0.5;
  apps[2].arrival_scv = 0;
  const Drawn drawn(apps, 3, 100000);
  EXPECT_NEAR(static_cast<double>(drawn.gaps[0].count) / drawn.end_s, 10, 0.3);
  EXPECT_NEAR(static_cast<double>(drawn.gaps[1].count) / drawn.end_s, 20, 0.3);
  EXPECT_NEAR(static_cast<double>(drawn.gaps[2].count) / drawn.end_s, 5, 0.01);
}

TEST(RequestSource, ConstantServiceIsConstant) {
  const Drawn drawn(Apps({{8, 0.125}}), 1, 1000);
  EXPECT_EQ(drawn.work[0].mean(), 0.125);
  EXPECT_EQ(drawn.work[0].variance(), 0);
}

TEST(RequestSource, VaryingServiceHasMeanAndScv) {
  for (const double scv : {0.1, 1.0, 4.0}) {
    const Drawn drawn(Apps({{8, 0.1, scv}}), 2, 200000);
    EXPECT_NEAR(drawn.work[0].mean(), 0.1, 0.003) << scv;
    EXPECT_NEAR(drawn.work[0].scv() / scv, 1, 0.06) << scv;
  }
}

TEST(RequestSource, MixturesHaveTheSharesOfTheirParts) {
  auto apps = Apps({{8, 0.1}});
  apps[0].service = ServiceMixture({{0.7, 1, 0}, {0.2, 2, 0}, {0.1, 4, 0}});
  RequestSource source(apps, 2);
  std::vector<int> count(5, 0);
  for (int i = 0; i < 100000; ++i)
    ++count.at(static_cast<size_t>(source.Next().work_s));
  EXPECT_NEAR(count[1] / 1e5, 0.7, 0.01);
  EXPECT_NEAR(count[2] / 1e5, 0.2, 0.01);
  EXPECT_NEAR(count[4] / 1e5, 0.1, 0.01);
}

TEST(RequestSource, ArrivalsSeeNothingOfTheService) {
  // A simulation of another service time has the same arrivals where no service is drawn.
  RequestSource quick(Apps({{8, 0.001}, {3, 0.002}}), 4), slow(Apps({{8, 0.1}, {3, 0.2}}), 4);
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(quick.Next().arrival_s, slow.Next().arrival_s);
}

RC_GTEST_PROP(RequestSourceProperties, RequestsComeInOrderOfTime, ()) {
  auto load = AnyLoad(Discipline::kFifo, {});
  for (auto& app : load.apps)
    app.arrival_scv = *rc::gen::element(1.0, 1.0, 0.0, 0.5, 3.0);
  RequestSource source(load.apps, *rc::gen::arbitrary<uint64_t>());
  double before = 0;
  for (int i = 0; i < 500; ++i) {
    const auto request = source.Next();
    RC_ASSERT(request.arrival_s >= before);
    RC_ASSERT(request.work_s >= 0);
    RC_ASSERT(request.app < load.apps.size());
    before = request.arrival_s;
  }
}

} // namespace
} // namespace avocet
