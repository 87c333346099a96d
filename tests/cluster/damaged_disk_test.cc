#include <algorithm>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/process_cluster.h"

// Bytes that a disk lost: in records, in model files.
namespace avocet {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

std::string ContentOf(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

/// Flips a bit that far into the file.
void Damage(const fs::path& file, double share = 0.5) {
  std::string bytes = ContentOf(file);
  bytes[static_cast<size_t>(share * static_cast<double>(bytes.size()))] ^= 1;
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

class DamagedDisk : public testing::Test {
protected:
  void SetUp() override {
    cluster.StartAll();
    Import();
    ASSERT_EQ(cluster.Json({"app", "apply", cluster.Write({.name = "door", .model = "resnet18"})})["decision"],
              "admit");
    file = cluster.Json({"model", "list"})["models"][0]["variants"][0]["sha256"];
  }

  void Import() const { (void)cluster.Json({"model", "import", EmulatedModel("resnet18.toml").string()}); }

  /// The longest write-ahead log of the program's records.
  fs::path LogOf(const std::string& name) const {
    fs::path longest;
    for (const auto& entry : fs::directory_iterator(cluster.data_dir(name) / "db")) {
      const bool is_log = entry.path().extension() == ".log";
      if (is_log && (longest.empty() || entry.file_size() > fs::file_size(longest))) longest = entry.path();
    }
    return longest;
  }

  fs::path ModelFile(const std::string& name) const { return cluster.data_dir(name) / "models" / file; }

  bool Serves() const {
    return cluster
               .Run({"load", "door=20", "--arrival", "periodic", "--duration", "0.2", "--endpoint",
                     cluster.inference("left"), "-o", "json", "-q"})
               .exit_code == 0;
  }

  bool HasEvent(const std::string& kind) const {
    const json events = cluster.Json({"events"})["events"];
    return std::any_of(events.begin(), events.end(), [&](const json& event) { return event["kind"] == kind; });
  }

  std::string NoteOfModel() const { return cluster.Json({"model", "list"})["models"][0]["note"]; }

  void RestartLeft() {
    cluster.agent("left").Kill();
    cluster.StartAgent("left");
  }

  ProcessCluster cluster{{{"left", {"gpu"}}}};
  std::string file; ///< the model's, by its digest
};

TEST_F(DamagedDisk, AControllerRefusesALogThatIsDamagedInItsMiddle) {
  cluster.controller().Kill();
  const fs::path log = LogOf("controller");
  const std::string good = ContentOf(log);
  Damage(log);
  EXPECT_THROW(cluster.StartController(), std::runtime_error);
  EXPECT_THAT(cluster.LogOf("controller"), HasSubstr("is damaged at byte"));
  EXPECT_THAT(cluster.LogOf("controller"), HasSubstr("restore the data_dir from a copy"));
  EXPECT_TRUE(Serves());

  std::ofstream(log, std::ios::binary | std::ios::trunc) << good;
  cluster.StartController();
  ASSERT_TRUE(cluster.WaitUntilServing());
}

TEST_F(DamagedDisk, AControllerStartsFromALogWithATornEnd) {
  cluster.controller().Kill();
  fs::resize_file(LogOf("controller"), fs::file_size(LogOf("controller")) - 5);
  cluster.StartController();
  ASSERT_TRUE(cluster.WaitUntilServing());
  EXPECT_EQ(cluster.Json({"app", "list"})["apps"].size(), 1U);
}

TEST_F(DamagedDisk, AnAgentSetsDamagedRecordsAsideAndIsToldAgainWhatToRun) {
  cluster.agent("left").Kill();
  Damage(LogOf("left"), 0.05); // in the first of few records: in the last one it would look like a torn end
  cluster.StartAgent("left");
  EXPECT_THAT(cluster.LogOf("left"), HasSubstr("records damaged: set aside"));
  EXPECT_TRUE(fs::exists(cluster.data_dir("left") / "db.damaged-1"));
  // It is another agent now: the lease of the one that it was runs out first.
  EXPECT_TRUE(Eventually([&] { return Serves(); }, kPatience));
}

TEST_F(DamagedDisk, AnAgentNeverLoadsADamagedModelFile) {
  const std::string good = ContentOf(ModelFile("left"));
  Damage(ModelFile("left"));
  RestartLeft();
  ASSERT_TRUE(cluster.WaitUntilServing());
  EXPECT_TRUE(Serves());
  EXPECT_EQ(ContentOf(ModelFile("left")), good);
  EXPECT_THAT(cluster.LogOf("left"), HasSubstr("model file damaged: removed"));

  fs::resize_file(ModelFile("left"), good.size() / 2);
  RestartLeft();
  ASSERT_TRUE(cluster.WaitUntilServing());
  EXPECT_EQ(ContentOf(ModelFile("left")), good);
}

TEST_F(DamagedDisk, AModelFileThatTheControllerLostIsRepairedByAnImport) {
  cluster.agent("left").Kill();
  fs::remove(ModelFile("left"));
  cluster.controller().Kill();
  Damage(ModelFile("controller"));
  cluster.StartController();
  cluster.StartAgent("left");
  ASSERT_TRUE(Eventually([&] { return cluster.Json({"app", "status", "door"})["phase"] == "failed"; }, kPatience));
  EXPECT_TRUE(HasEvent("model_file_lost"));
  EXPECT_THAT(NoteOfModel(), HasSubstr("import it again"));

  Import();
  EXPECT_EQ(NoteOfModel(), "");
  ASSERT_TRUE(cluster.WaitUntilServing()) << "what failed is tried again";
  EXPECT_TRUE(Serves());
}

TEST_F(DamagedDisk, RecordsRestoredWithoutModelFilesAreNoticedAtTheStart) {
  cluster.controller().Kill();
  fs::remove_all(cluster.data_dir("controller") / "models");
  cluster.StartController();
  EXPECT_TRUE(HasEvent("model_file_lost"));
  EXPECT_THAT(NoteOfModel(), HasSubstr("is not in models/"));
  Import();
  EXPECT_EQ(NoteOfModel(), "");
}

} // namespace
} // namespace avocet
