#include "controller/queueing/sharing_mixture.h"

#include <algorithm>

#include "controller/queueing/service_classes.h"

namespace avocet {

GammaMixture MixtureOf(const SharedResponse& r) {
  // docs/models/sharing.md, eq. (S12).
  const double s = r.service.mean_s, scv = r.service.scv;
  const double undelayed = r.idle * Transform(r.service, r.disturbing_rps), delayed = 1 - undelayed;
  // Short requests escape more often: the service time of the undelayed is a gamma of smaller scale.
  const double short_s = s / (1 + r.disturbing_rps * s * scv);

  GammaMixture mixture;
  mixture.Add({undelayed, 0, short_s, scv * short_s * short_s});
  if (delayed <= 0) return mixture;

  // docs/models/sharing.md, eq. (S13): the others get what remains of the first two moments.
  const double service_variance = r.slow_down * r.slow_down * s * s * scv;
  const double second = r.delay_variance + service_variance + r.mean_s * r.mean_s;

  const double mean = (r.mean_s - undelayed * short_s) / delayed;
  const double variance = std::max((second - undelayed * short_s * short_s * (1 + scv)) / delayed - mean * mean, 0.0);

  // docs/models/sharing.md, eq. (S14). The clamp keeps the delay's variance from becoming negative.
  const double own = std::min(service_variance, variance), delay_mean = (r.mean_s - s) / delayed;
  const Cumulants sum = GammaCumulants(r.slow_down * s, own) + GammaCumulants(delay_mean, variance - own);
  mixture.Add(ShiftedGamma(delayed, {mean, variance, sum.third + r.delay_skew / delayed}));

  return mixture;
}

} // namespace avocet
