#pragma once

#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "messages/status.h"

namespace avocet {

/// A linear or mixed-integer program, column by column; to be minimized.
class LinearProgram {
public:
  static constexpr double kInfinite = 1e30;
  struct Bounds {
    double low = 0;
    double high = kInfinite;
  };
  struct Column {
    Bounds bounds;
    double objective = 0;
    bool whole = false;                          ///< takes integers only
    std::vector<std::pair<int, double>> entries; ///< row, coefficient
  };

  /// Both return the number of what was added, from 0.
  int AddRow(Bounds bounds) {
    rows_.push_back(bounds);
    return static_cast<int>(rows_.size()) - 1;
  }
  int AddColumn(Bounds bounds, double objective, bool whole = false) {
    columns_.push_back({bounds, objective, whole, {}});
    return static_cast<int>(columns_.size()) - 1;
  }
  void Set(int row, int column, double value) {
    if (value != 0) columns_[static_cast<size_t>(column)].entries.emplace_back(row, value);
  }

  const std::vector<Bounds>& rows() const { return rows_; }
  const std::vector<Column>& columns() const { return columns_; }

private:
  std::vector<Bounds> rows_;
  std::vector<Column> columns_;
};

struct LinearOptimum {
  double objective = 0;
  std::vector<double> columns;
};

/// Minimizes; nullopt: infeasible. kInternal where it gives up. The solver is a large library that few commands
/// need, so it comes as a parameter.
using LinearSolver = std::function<Result<std::optional<LinearOptimum>>(const LinearProgram&)>;

} // namespace avocet
