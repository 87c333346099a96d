#pragma once

#include <iostream>
#include <optional>
#include <string>

#include "cli/render/render.h"
#include "cli/text/exit_codes.h"
#include "messages/status.h"
#include "messages/tls/tls.h"
#include "messages/units.h"

namespace avocet {

/// What the flags that every command accepts were set to.
struct Context {
  std::string address = "127.0.0.1:7400"; ///< of the controller
  std::optional<TlsOptions> tls;          ///< what the flags, and for the rest the environment, say of certificates
  bool tls_flags = false;                 ///< some of it comes from flags
  RenderOptions render;
  Duration timeout = std::chrono::minutes(5); ///< of one request, and of --wait
  bool quiet = false;                         ///< no progress on stderr
};

/// Reports an error where the chosen output format wants it, and returns its exit code.
inline int Fail(const Context& context, const Status& status) {
  auto& out = context.render.format == OutputFormat::kJson ? std::cout : std::cerr;
  out << Render(status, context.render);
  return ExitCodeOf(status);
}

/// Prints a reply, or the error there is instead.
template <class T> int Show(const Context& context, const Result<T>& result) {
  if (!result.ok()) return Fail(context, result.status());
  std::cout << Render(*result, context.render);
  return kExitOk;
}

/// Prints one member of a reply, e.g. the list in a ListNodes reply, or the error there is instead.
template <class T, class Part> int Show(const Context& context, const Result<T>& result, Part T::*part) {
  if (!result.ok()) return Fail(context, result.status());
  std::cout << Render(*result.*part, context.render);
  return kExitOk;
}

} // namespace avocet
