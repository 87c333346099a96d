#include "controller/queueing/lanes.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace avocet {
namespace {

/// Functions of one number, over a list, by whatever lanes the instructions have.
struct Task {
  std::vector<double> in, out, out_im;

  /// Lists are filled up with their last number to whole lanes.
  explicit Task(std::vector<double> values) : in(std::move(values)) {
    while (in.size() % kMostLanes != 0)
      in.push_back(in.back());
    out.resize(in.size());
    out_im.resize(in.size());
  }
};

template <int N> struct ExpKernel {
  AVOCET_LANES_INLINE static void Run(Task& task) {
    using V = lanes::Doubles<N>;
    for (size_t i = 0; i < task.in.size(); i += N)
      lanes::Store(lanes::Exp(lanes::Load<V>(&task.in[i])), &task.out[i]);
  }
};

template <int N> struct ExpIPiKernel {
  AVOCET_LANES_INLINE static void Run(Task& task) {
    using V = lanes::Doubles<N>;
    for (size_t i = 0; i < task.in.size(); i += N) {
      const auto z = lanes::ExpIPi(lanes::Load<V>(&task.in[i]));
      lanes::Store(z.re, &task.out[i]);
      lanes::Store(z.im, &task.out_im[i]);
    }
  }
};

/// Writes how many lanes it was run with.
template <int N> struct CountKernel {
  AVOCET_LANES_INLINE static void Run(int& lanes) { lanes = N; }
};

class Lanes : public ::testing::TestWithParam<Instructions> {
protected:
  template <template <int> class Kernel> Task Map(std::vector<double> values) {
    Task task(std::move(values));
    RunLanes<Kernel>(GetParam(), task);
    return task;
  }
};

std::vector<double> Grid(double low, double high, int steps) {
  std::vector<double> values;
  for (int i = 0; i <= steps; ++i)
    values.push_back(low + (high - low) * i / steps);
  return values;
}

TEST_P(Lanes, ExpIsThatOfTheLibraryToTwoUnits) {
  for (const double low : {-1e-6, -1.0, -50.0, -700.0}) {
    const auto task = Map<ExpKernel>(Grid(low, 0, 5000));
    for (size_t i = 0; i < task.in.size(); ++i) {
      const double expected = std::exp(task.in[i]);
      ASSERT_LE(std::abs(task.out[i] - expected), 2 * std::numeric_limits<double>::epsilon() * expected) << task.in[i];
    }
  }
}

TEST_P(Lanes, ExpOfZeroIsOne) {
  EXPECT_EQ(Map<ExpKernel>({0.0}).out[0], 1);
}

TEST_P(Lanes, ExpStaysAtItsLeastBelowIt) {
  const auto task = Map<ExpKernel>({-700, -700.5, -1e6, -std::numeric_limits<double>::infinity()});
  EXPECT_GT(task.out[0], 0);
  for (const double value : task.out)
    EXPECT_EQ(value, task.out[0]);
}

TEST_P(Lanes, ExpIPiIsCosineAndSine) {
  const auto task = Map<ExpIPiKernel>(Grid(-4, 4, 8000));
  for (size_t i = 0; i < task.in.size(); ++i) {
    ASSERT_NEAR(task.out[i], std::cos(M_PI * task.in[i]), 4e-15) << task.in[i];
    ASSERT_NEAR(task.out_im[i], std::sin(M_PI * task.in[i]), 4e-15) << task.in[i];
  }
}

TEST_P(Lanes, ExpIPiIsExactAtQuarterTurns) {
  const auto task = Map<ExpIPiKernel>({0, 0.5, 1, 1.5, 2, -0.5, -1, -1.5});
  const std::vector<double> cosine{1, 0, -1, 0, 1, 0, -1, 0}, sine{0, 1, 0, -1, 0, -1, 0, 1};
  for (size_t i = 0; i < task.in.size(); ++i) {
    EXPECT_EQ(task.out[i], cosine[i]) << task.in[i];
    EXPECT_EQ(task.out_im[i], sine[i]) << task.in[i];
  }
}

TEST_P(Lanes, ExpIPiLosesNothingFarFromZero) {
  // Whole turns are taken off without rounding, so a million turns later the value is the same.
  for (const double turns : {2e6, -2e6, 0x1p48, -0x1p48}) {
    const auto near = Map<ExpIPiKernel>({0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75});
    auto values = near.in;
    for (auto& x : values)
      x += turns;
    const auto far = Map<ExpIPiKernel>(values);
    EXPECT_EQ(far.out, near.out) << turns;
    EXPECT_EQ(far.out_im, near.out_im) << turns;
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, Lanes, ::testing::Values(Instructions::kBaseline, BestInstructions()),
                         [](const auto& info) { return info.index == 0 ? "baseline" : "best"; });

TEST(RunLanes, TakesTwoLanesWithoutSpecialInstructions) {
  int lanes = 0;
  RunLanes<CountKernel>(Instructions::kBaseline, lanes);
  EXPECT_EQ(lanes, 2);
}

TEST(RunLanes, TakesAsManyLanesAsTheProcessorHas) {
  int lanes = 0;
  RunLanes<CountKernel>(BestInstructions(), lanes);
  EXPECT_EQ(lanes, BestInstructions() == Instructions::kAvx2 ? kMostLanes : 2);
}

using Two = lanes::Doubles<2>;

TEST(LaneFunctions, WorkLaneByLane) {
  const Two a{-3, 2}, b{1, -5};
  EXPECT_EQ(lanes::Abs(a)[0], 3);
  EXPECT_EQ(lanes::Abs(a)[1], 2);
  EXPECT_EQ(lanes::Max(a, b)[0], 1);
  EXPECT_EQ(lanes::Max(a, b)[1], 2);
}

TEST(LaneFunctions, AllNeedsEveryLane) {
  EXPECT_TRUE(lanes::All(Two{1, 2} > 0));
  EXPECT_FALSE(lanes::All(Two{1, -2} > 0));
  EXPECT_FALSE(lanes::All(Two{-1, 2} > 0));
}

TEST(LaneFunctions, MultiplyIsTheProductOfComplexNumbers) {
  const lanes::Complex<Two> a{{1, 0}, {2, 1}}, b{{3, 0}, {-1, 1}}; // (1+2i)(3-i) and i * i
  const auto product = lanes::Multiply(a, b);
  EXPECT_EQ(product.re[0], 5);
  EXPECT_EQ(product.im[0], 5);
  EXPECT_EQ(product.re[1], -1);
  EXPECT_EQ(product.im[1], 0);
}

TEST(LaneFunctions, LoadAndStoreNeedNoAlignment) {
  alignas(16) double memory[4] = {0, 1, 2, 3};
  const auto value = lanes::Load<Two>(memory + 1);
  lanes::Store(value, memory + 2);
  EXPECT_EQ(memory[1], 1);
  EXPECT_EQ(memory[2], 1);
  EXPECT_EQ(memory[3], 2);
}

} // namespace
} // namespace avocet
