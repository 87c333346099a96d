// Thousands of damaged predict files, the same on every run: what a fuzzer does, without one.
#include "tests/fuzz/predict_input.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace avocet {
namespace {

constexpr int kMutations = 4000;
constexpr size_t kMostBytes = 4096;

std::vector<std::string> Corpus() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(AVOCET_TEST_DATA "/fuzz/predict"))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<std::string> texts;
  for (const auto& file : files) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    texts.push_back(text.str());
  }
  return texts;
}

/// What breaks a reader or a model: numbers first (kNumbers of them), then syntax and words of the format.
constexpr auto kWords = std::to_array<std::string_view>({"0",
                                                         "-1",
                                                         "1e-6",
                                                         "1e6",
                                                         "1e308",
                                                         "1e999",
                                                         "nan",
                                                         "inf",
                                                         "99999999999999999999",
                                                         "null",
                                                         "true",
                                                         "\"\"",
                                                         "{",
                                                         "}",
                                                         "[",
                                                         "]",
                                                         "[[device]]",
                                                         "[[device.app]]",
                                                         "\"\\u0000\"",
                                                         "\xff",
                                                         "\n",
                                                         "fifo",
                                                         "time_shared",
                                                         "multi_server",
                                                         "processor_sharing",
                                                         "mean",
                                                         "p99",
                                                         "0.999999",
                                                         "100000",
                                                         "1e-3",
                                                         "scv = 100\n",
                                                         "1979-05-27",
                                                         "'''",
                                                         "#",
                                                         ","});
constexpr size_t kNumbers = 9;

class Mutator {
public:
  explicit Mutator(uint64_t seed) : random_(seed) {}

  std::string Next(const std::vector<std::string>& corpus) {
    std::string text = corpus[Below(corpus.size())];
    for (size_t times = 1 + Below(4); times > 0; --times)
      Mutate(text, corpus);
    text.resize(std::min(text.size(), kMostBytes));
    return text;
  }

private:
  size_t Below(size_t bound) { return bound == 0 ? 0 : random_() % bound; }

  void Mutate(std::string& text, const std::vector<std::string>& corpus) {
    const size_t at = Below(text.size() + 1), length = Below(std::min<size_t>(text.size() - at, 24) + 1);
    switch (Below(7)) {
    case 0:
      if (at < text.size()) text[at] = static_cast<char>(random_());
      return;
    case 1:
      text.erase(at, length);
      return;
    case 2:
      text.insert(at, kWords[Below(kWords.size())]);
      return;
    case 3:
      text.replace(at, length, kWords[Below(kWords.size())]);
      return;
    case 4:
      text.insert(at, text.substr(at, length));
      return;
    case 5:
      ReplaceNumber(text, kWords[Below(kNumbers)]);
      return;
    default: {
      const auto& other = corpus[Below(corpus.size())];
      text = text.substr(0, at) + other.substr(Below(other.size() + 1));
    }
    }
  }

  /// Keeps the form and changes a value, which gets further than noise does.
  void ReplaceNumber(std::string& text, std::string_view word) {
    const size_t begin = text.find_first_of("0123456789", Below(text.size() + 1));
    if (begin == std::string::npos) return;
    const size_t end = std::min(text.find_first_not_of("0123456789.e+-", begin), text.size());
    text.replace(begin, end - begin, word);
  }

  std::mt19937_64 random_;
};

TEST(PredictInput, TheCorpusIsAnswered) {
  const auto corpus = Corpus();
  ASSERT_GE(corpus.size(), 4u);
  for (const auto& text : corpus)
    EXPECT_EQ(ProblemWithPredictInput(text), "") << text;
}

/// AVOCET_TEST_SEED and AVOCET_FUZZ_RUNS in the environment make it another run, or a longer one.
TEST(PredictInput, NoDamageIsTooMuch) {
  const char *seed_text = std::getenv("AVOCET_TEST_SEED"), *runs_text = std::getenv("AVOCET_FUZZ_RUNS");
  const uint64_t seed = seed_text == nullptr ? 1 : std::strtoull(seed_text, nullptr, 10);
  const int runs = runs_text == nullptr ? kMutations : std::atoi(runs_text);
  const auto corpus = Corpus();
  Mutator mutator(seed);
  for (int run = 0; run < runs; ++run) {
    const std::string text = mutator.Next(corpus);
    ASSERT_EQ(ProblemWithPredictInput(text), "") << "seed " << seed << " run " << run << ":\n" << text;
  }
}

} // namespace
} // namespace avocet
