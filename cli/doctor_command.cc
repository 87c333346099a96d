#include "cli/commands.h"
#include "cli/doctor.h"
#include "cli/paths.h"

namespace avocet {

int NodeDoctorCommand(const Context& context, const std::filesystem::path& root) {
  const auto examination = Examine({.root = root}, EnginePrefix());
  if (!examination.ok()) return Fail(context, examination.status());
  const Diagnosis diagnosis = Diagnose(*examination);
  std::cout << Render(*examination, diagnosis, context.render);
  return diagnosis.is_usable() ? kExitOk : kExitError;
}

} // namespace avocet
