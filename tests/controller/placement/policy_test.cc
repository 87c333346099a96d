// Policy, declared in controller/placement/decide.h: its bounds, and what one request may want otherwise.
#include <cmath>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/placement/decide.h"

namespace avocet {
namespace {

struct Fraction {
  const char* name;
  double Policy::*field;
};
constexpr Fraction kFractions[] = {{"mean_tolerance", &Policy::mean_tolerance},
                                   {"percentile_tolerance", &Policy::percentile_tolerance},
                                   {"max_utilization", &Policy::max_utilization},
                                   {"max_preprocess_cpu", &Policy::max_preprocess_cpu},
                                   {"memory_fraction", &Policy::memory_fraction}};

Status StatusWith(double Policy::*field, double value) {
  Policy policy;
  policy.*field = value;
  return Validate(policy);
}

TEST(Policy, TheDefaultIsValid) {
  EXPECT_EQ(Validate(Policy{}), Status());
}

TEST(Policy, FractionsAreAboveZeroAndAtMostOne) {
  for (const auto& [name, field] : kFractions) {
    SCOPED_TRACE(name);
    for (const double good : {1e-9, 0.5, 1.0})
      EXPECT_EQ(StatusWith(field, good), Status()) << good;
    for (const double bad : {0.0, -0.1, std::nextafter(1.0, 2.0), double{NAN}, double{INFINITY}})
      EXPECT_EQ(StatusWith(field, bad).code(), StatusCode::kInvalidArgument) << bad;
    EXPECT_THAT(StatusWith(field, 2).message(), ::testing::HasSubstr(std::string("field '") + name + "'"));
  }
}

TEST(Policy, MovesAreBounded) {
  EXPECT_EQ(Validate(Policy{.max_moves = 0}), Status());
  EXPECT_EQ(Validate(Policy{.max_moves = kMaxMovesPerDecision}), Status());
  EXPECT_EQ(Validate(Policy{.max_moves = -1}).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Validate(Policy{.max_moves = kMaxMovesPerDecision + 1}).code(), StatusCode::kInvalidArgument);
}

TEST(WithOptions, ChangesOnlyWhatTheRequestNames) {
  const Policy cluster{.max_utilization = 0.5, .placement = PlacementPolicy::kHeadroom, .max_moves = 2};
  const auto same = WithOptions(cluster, {});
  EXPECT_EQ(same.placement, PlacementPolicy::kHeadroom);
  EXPECT_EQ(same.max_moves, 2);
  const auto other = WithOptions(cluster, {.policy = PlacementPolicy::kFirstFit, .max_moves = 0});
  EXPECT_EQ(other.placement, PlacementPolicy::kFirstFit);
  EXPECT_EQ(other.max_moves, 0);
  EXPECT_EQ(other.max_utilization, 0.5) << "margins are the cluster's alone";
}

} // namespace
} // namespace avocet
