#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "controller/placement/content_key.h"
#include "controller/placement/memo.h"

namespace avocet {

/// Which demands fit beside what runs on a device: a row of answers for each content of a device, a column for each
/// demand. Bounded: rows as a Memo; with more demands than columns all is forgotten.
class FitMemo {
public:
  enum class Answer : uint8_t { kUnknown, kNo, kYes };
  using Row = std::vector<Answer>;

  /// The demand's column; it stays the same until StartDecision.
  size_t ColumnOf(const ContentKey& demand) { return columns_.try_emplace(demand, columns_.size()).first->second; }
  std::shared_ptr<Row> RowOf(const ContentKey& device) {
    return rows_.Get(device, [] { return std::make_shared<Row>(); });
  }
  void StartDecision() {
    if (columns_.size() <= kMaxColumns) return;
    columns_.clear();
    rows_ = Rows(kRows);
  }

private:
  static constexpr size_t kMaxColumns = 1024;
  static constexpr size_t kRows = size_t{1} << 13U;
  using Rows = Memo<std::shared_ptr<Row>>;

  std::unordered_map<ContentKey, size_t, ContentKey::Hash> columns_;
  Rows rows_{kRows};
};

} // namespace avocet
