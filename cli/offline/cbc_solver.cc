#include "cli/offline/cbc_solver.h"

#include <memory>
#include <utility>

#include <coin/Cbc_C_Interface.h>

#include "node_agent/engines/shared_library.h"

namespace avocet {
namespace {

/// The name of Debian's runtime package, coinor-libcbc3.
constexpr const char* kLibrary = "libCbcSolver.so.3";

/// The functions of Cbc_C_Interface.h that are used.
struct Cbc {
  explicit Cbc(SharedLibrary opened) : library(std::move(opened)) {}

  Status Bind() {
    AVOCET_RETURN_IF_ERROR(library.Bind("Cbc_newModel", newModel));
    AVOCET_RETURN_IF_ERROR(library.Bind("Cbc_deleteModel", deleteModel));
    AVOCET_RETURN_IF_ERROR(library.Bind("Cbc_setLogLevel", setLogLevel));
    AVOCET_RETURN_IF_ERROR(library.Bind("Cbc_loadProblem", loadProblem));
    AVOCET_RETURN_IF_ERROR(library.Bind("Cbc_setInteger", setInteger));
    AVOCET_RETURN_IF_ERROR(library.Bind("Cbc_solve", solve));
    AVOCET_RETURN_IF_ERROR(library.Bind("Cbc_isProvenInfeasible", isProvenInfeasible));
    AVOCET_RETURN_IF_ERROR(library.Bind("Cbc_isProvenOptimal", isProvenOptimal));
    AVOCET_RETURN_IF_ERROR(library.Bind("Cbc_getColSolution", getColSolution));
    return library.Bind("Cbc_getObjValue", getObjValue);
  }

  SharedLibrary library;
  decltype(&Cbc_newModel) newModel = nullptr;
  decltype(&Cbc_deleteModel) deleteModel = nullptr;
  decltype(&Cbc_setLogLevel) setLogLevel = nullptr;
  decltype(&Cbc_loadProblem) loadProblem = nullptr;
  decltype(&Cbc_setInteger) setInteger = nullptr;
  decltype(&Cbc_solve) solve = nullptr;
  decltype(&Cbc_isProvenInfeasible) isProvenInfeasible = nullptr;
  decltype(&Cbc_isProvenOptimal) isProvenOptimal = nullptr;
  decltype(&Cbc_getColSolution) getColSolution = nullptr;
  decltype(&Cbc_getObjValue) getObjValue = nullptr;
};

void Load(const Cbc& cbc, const LinearProgram& program, Cbc_Model* model) {
  // Cbc takes the matrix by columns: the entries of column i are those from starts[i] to starts[i + 1].
  std::vector<CoinBigIndex> starts{0};
  std::vector<int> rows;
  std::vector<double> values, low, high, objective, row_low, row_high;
  for (const auto& column : program.columns()) {
    for (const auto& [row, value] : column.entries) {
      rows.push_back(row);
      values.push_back(value);
    }
    starts.push_back(static_cast<CoinBigIndex>(rows.size()));
    low.push_back(column.bounds.low);
    high.push_back(column.bounds.high);
    objective.push_back(column.objective);
  }

  for (const auto& row : program.rows()) {
    row_low.push_back(row.low);
    row_high.push_back(row.high);
  }

  cbc.loadProblem(model, static_cast<int>(low.size()), static_cast<int>(row_low.size()), starts.data(), rows.data(),
                  values.data(), low.data(), high.data(), objective.data(), row_low.data(), row_high.data());

  // After loadProblem, which makes every column continuous.
  for (size_t i = 0; i < low.size(); ++i) {
    if (program.columns()[i].whole) cbc.setInteger(model, static_cast<int>(i));
  }
}

Result<std::optional<LinearOptimum>> Minimize(const Cbc& cbc, const LinearProgram& program) {
  const std::unique_ptr<Cbc_Model, decltype(cbc.deleteModel)> model(cbc.newModel(), cbc.deleteModel);
  cbc.setLogLevel(model.get(), 0);
  Load(cbc, program, model.get());
  cbc.solve(model.get());
  if (cbc.isProvenInfeasible(model.get()) != 0) return std::optional<LinearOptimum>();
  if (cbc.isProvenOptimal(model.get()) == 0) return Internal("the linear solver gave up");
  const double* solution = cbc.getColSolution(model.get());
  return std::optional(LinearOptimum{cbc.getObjValue(model.get()), {solution, solution + program.columns().size()}});
}

} // namespace

Result<LinearSolver> LoadCbc() {
  auto library = SharedLibrary::Open(kLibrary);
  if (!library.ok()) return library.status().WithContext("the linear solver (Debian package coinor-libcbc3)");
  auto cbc = std::make_shared<Cbc>(std::move(*library));
  AVOCET_RETURN_IF_ERROR(cbc->Bind());
  return LinearSolver([cbc](const LinearProgram& program) { return Minimize(*cbc, program); });
}

} // namespace avocet
