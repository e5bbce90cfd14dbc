#pragma once

#include <cstdint>
#include <string>

namespace leat {

/// A random UUID (version 4) in its text form; unique names of files and commit attempts come from it.
/// Throws: Error(kInternal) where the system gives no random bytes.
std::string NewUuid();

/// A random positive 63-bit number, for Iceberg snapshot ids.
int64_t NewSnapshotId();

}  // namespace leat
