#include "controller/queueing/sharing_mixture.h"

#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/controller/queueing/any_load.h"

namespace avocet {
namespace {

TEST(SharingMixture, OfAnUndisturbedRequestIsItsService) {
  const auto mixture = MixtureOf({.service = {1, 2, 1}, .idle = 1, .mean_s = 2});
  for (const double t : {0.3, 2.0, 9.0})
    EXPECT_NEAR(mixture.Cdf(t), 1 - std::exp(-t / 2), 1e-12) << t;
}

TEST(SharingMixture, ConstantServiceHasAnAtomOfTheUndelayed) {
  const auto mixture =
      MixtureOf({.service = {1, 2, 0}, .idle = 0.6, .disturbing_rps = 0.5, .mean_s = 4, .delay_variance = 3});
  EXPECT_NEAR(mixture.Cdf(2), 0.6 * std::exp(-0.5 * 2), 1e-12);
  EXPECT_EQ(mixture.Cdf(1.999), 0);
}

TEST(SharingMixture, ShortRequestsEscapeMoreOften) {
  // Exponential service and nothing else: P(undisturbed, S <= t) = int_0^t mu e^(-(mu + d) s) ds, and next to no
  // delayed request is that fast.
  const double mu = 0.5, d = 0.7;
  const auto mixture = MixtureOf(
      {.service = {1, 1 / mu, 1}, .idle = 1, .disturbing_rps = d, .mean_s = 100, .delay_variance = 4, .slow_down = 1});
  const double t = 1.5, undisturbed = mu / (mu + d) * (1 - std::exp(-(mu + d) * t));
  EXPECT_NEAR(mixture.Cdf(t), undisturbed, 0.01);
}

TEST(SharingMixture, SkewOfTheDelayLengthensTheTail) {
  SharedResponse response{
      .service = {1, 1, 0}, .idle = 0.5, .disturbing_rps = 0.5, .mean_s = 3, .delay_variance = 4, .slow_down = 2};
  const double plain = MixtureOf(response).Quantile(0.999);
  response.delay_skew = 30;
  EXPECT_GT(MixtureOf(response).Quantile(0.999), plain * 1.01);
}

SharedResponse AnyResponse() {
  SharedResponse response;
  response.service = {1, Between(1e-3, 1), *rc::gen::element(0.0, 0.3, 1.0, 4.0)};
  response.idle = Between(0.02, 0.98);
  response.disturbing_rps = Between(0.01, 10);
  response.slow_down = Between(1, 20);
  response.mean_s = response.service.mean_s * response.slow_down * Between(1.01, 10);
  response.delay_variance = response.mean_s * response.mean_s * Between(0.01, 3);
  return response;
}

RC_GTEST_PROP(SharingMixtureProperties, HasTheMean, ()) {
  const auto response = AnyResponse();
  RC_ASSERT(IsClose(MixtureOf(response).Mean(), response.mean_s, 1e-9));
}

RC_GTEST_PROP(SharingMixtureProperties, HasTheVarianceOfServiceAndDelay, ()) {
  // Where the delayed have any left: the undelayed alone may spread more.
  auto response = AnyResponse();
  response.delay_variance += 10 * response.mean_s * response.mean_s;
  const double service = response.slow_down * response.service.mean_s;
  const double expected = response.delay_variance + service * service * response.service.scv;
  const double sd = MixtureOf(response).StandardDeviation();
  RC_ASSERT(IsClose(sd * sd, expected, 1e-8));
}

RC_GTEST_PROP(SharingMixtureProperties, QuantilesAreInOrderAndNotNegative, ()) {
  const auto mixture = MixtureOf(AnyResponse());
  const double p50 = mixture.Quantile(0.5), p95 = mixture.Quantile(0.95), p99 = mixture.Quantile(0.99);
  RC_ASSERT(p50 >= 0);
  RC_ASSERT(p50 <= p95 * (1 + 1e-9));
  RC_ASSERT(p95 <= p99 * (1 + 1e-9));
}

} // namespace
} // namespace avocet
