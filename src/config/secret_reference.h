#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/environment.h"
#include "core/error.h"
#include "core/secret.h"

namespace leat::config {

/// A password that the project names but does not hold. It is looked up when it is used, so that a project can be
/// checked where its secrets are not set. Looked for, in this order: the variable LEAT_CONNECTIONS_<NAME>_PASSWORD,
/// what the file says (`${NAME}` or `${file:/path}`), the file `<name>.password` in $CREDENTIALS_DIRECTORY.
class SecretReference {
 public:
  /// Names nothing; resolves to an empty secret.
  SecretReference() = default;
  /// `written` is what the file says, already checked by `IsReference`; empty if it says nothing.
  SecretReference(std::string connection, std::string written, Place place, Environment environment);

  /// A reference that stands in a source file, looked up by what it says alone. \param user  what takes the secret, as
  /// a message says it: `the source billing`
  static SecretReference OfSource(std::string user, std::string written, Place place, Environment environment);

  /// Whether `text` is `${NAME}` or `${file:/absolute/path}`.
  static bool IsReference(std::string_view text);

  /// The secret; empty if nothing names one: then ~/.pgpass and PGPASSWORD count.
  /// Throws: Error(kConfig): LEAT0109 for a variable that is not set or a file that cannot be read, LEAT0113 for a file
  /// that others can read.
  Secret Resolve() const;

  /// The place that `Resolve` takes the secret from: `variable TOTESYS_PASSWORD`, `/run/secrets/totesys`; empty if none
  /// has it.
  std::string Origin() const;

  /// The places `Resolve` looks at, each with its state but never its content: `LEAT_CONNECTIONS_TOTESYS_PASSWORD (not
  /// set)`.
  std::vector<std::string> LookedIn() const;

 private:
  std::string Variable() const;
  std::string CredentialPath() const;

  std::string connection_;  ///< empty: a source's
  std::string user_;
  std::string written_;
  Place place_;
  Environment environment_;
};

}  // namespace leat::config
