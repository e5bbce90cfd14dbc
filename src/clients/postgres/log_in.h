#pragma once

#include <libpq-fe.h>

#include <string>
#include <string_view>
#include <vector>

#include "clients/postgres/connection.h"
#include "clients/postgres/faults.h"

namespace leat::postgres {

/// What libpq is told of a log-in. Keeps views of the options, which must outlive it.
class Keywords {
 public:
  Keywords(const Options& options, const std::string& sslmode);

  /// Left out if `value` is empty.
  void Add(const char* keyword, const std::string& value);
  /// Begin to connect. Null: libpq has no memory.
  PGconn* Start();

 private:
  std::vector<const char*> keywords_;
  std::vector<const char*> values_;
};

/// A setting as it stands after libpq has looked at its environment and service file.
std::string Effective(PGconn* connection, std::string_view keyword);

/// Where a connection leads, begun or failed, with the values that libpq settled on.
Endpoint EndpointOf(const Options& options, PGconn* connection);

/// Whether the server has to prove who it is, though nobody said so: libpq's `prefer` may be its default or somebody's
/// wish, and towards another machine only an explicit wish counts.
bool MustVerify(const Options& options, PGconn* connection);

}  // namespace leat::postgres
