#include "actors/agent/agent_records.h"

#include <fstream>

#include <gtest/gtest.h>

#include "storage/records.h"
#include "tests/support/temp_dir.h"

namespace avocet {
namespace {

class AgentRecordsTest : public testing::Test {
protected:
  AgentRecords Open() {
    auto records = OpenAgentRecords(dir_.path());
    if (!records.ok()) throw std::runtime_error(records.status().ToString());
    return std::move(*records);
  }
  /// Of the cluster of that number, so that one life is told from another.
  void Live(uint64_t cluster) {
    const auto records = Open();
    WriteBatch batch;
    Put(batch, kCluster, cluster);
    ASSERT_TRUE(records.store->Write(batch, Sync::kYes).ok());
  }
  void Damage() { std::ofstream(dir_.path() / "db" / "CURRENT") << "nonsense"; }
  bool Has(const std::string& folder) const { return std::filesystem::exists(dir_.path() / folder); }

  TempDir dir_;
};

TEST_F(AgentRecordsTest, AreThereAfterARestart) {
  const uint64_t instance = Open().instance;
  Live(7);
  const auto records = Open();
  EXPECT_EQ(records.instance, instance);
  EXPECT_EQ(records.cluster, 7U);
  EXPECT_TRUE(records.plan.empty());
}

TEST_F(AgentRecordsTest, DamagedOnesAreSetAsideAndTheAgentStartsAnew) {
  Live(7);
  const uint64_t instance = Open().instance;
  Damage();
  const auto records = Open();
  EXPECT_EQ(records.cluster, 0U);
  EXPECT_NE(records.instance, instance) << "it counts as another agent, and waits for the lease";
  EXPECT_TRUE(Has("db.damaged-1"));
}

TEST_F(AgentRecordsTest, SoManyDamagedOnesAreKept) {
  for (int i = 0; i <= kMaxDamagedFolders; ++i) {
    Live(7);
    Damage();
    (void)Open();
  }
  for (int i = 1; i <= kMaxDamagedFolders; ++i)
    EXPECT_TRUE(Has("db.damaged-" + std::to_string(i)));
  EXPECT_FALSE(Has("db.damaged-" + std::to_string(kMaxDamagedFolders + 1)));
}

TEST_F(AgentRecordsTest, ThoseOfAControllerAreLeftAlone) {
  {
    const auto records = Open();
    WriteBatch batch;
    batch.Put("meta/schema", "controller 1");
    ASSERT_TRUE(records.store->Write(batch, Sync::kYes).ok());
  }
  EXPECT_EQ(OpenAgentRecords(dir_.path()).status().code(), StatusCode::kInvalidArgument);
  EXPECT_FALSE(Has("db.damaged-1"));
}

} // namespace
} // namespace avocet
