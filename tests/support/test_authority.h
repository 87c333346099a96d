#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "messages/tls/tls_authority.h"
#include "tests/support/temp_dir.h"

namespace avocet {

/// A certificate authority in a folder of its own, and certificates that it issues.
class TestAuthority {
public:
  using Time = std::chrono::system_clock::time_point;

  TestAuthority() { Create({}); }

  const std::filesystem::path& folder() const { return folder_.path(); }

  /// Makes the authority again; `options` say how.
  void Create(AuthorityOptions options) {
    options.directory = folder();
    options.now = now;
    const auto created = CreateAuthority(options);
    if (!created.ok()) ADD_FAILURE() << created.status().ToString();
  }

  /// A fresh certificate in the folder of this role and name.
  TlsOptions Issue(Role role, const std::string& name, IssueOptions options = {}) const {
    options.directory = folder();
    options.identity = {role, name};
    options.force = true;
    options.now = now;
    const auto issued = IssueCertificate(options);
    if (!issued.ok()) ADD_FAILURE() << issued.status().ToString();
    return issued.ok() ? issued->files : TlsOptions{};
  }

  Time now = std::chrono::system_clock::now(); ///< when it issues

private:
  TempDir folder_;
};

} // namespace avocet
