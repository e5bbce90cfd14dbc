#pragma once

#include <memory>

#include "warehouse/duckdb/attachment.h"
#include "warehouse/warehouse.h"

namespace leat::warehouse::duckdb {

/// A DuckDB file as warehouse. It is open while a load, a plan or a probe looks at it, and at no other time: one
/// process alone may write to it, and while it does no other may read. Load attaches it to the DuckDB of its
/// connection, which must allow `FilesBeside(file.path)`.
std::unique_ptr<Warehouse> OpenDuckdb(const File& file);

}  // namespace leat::warehouse::duckdb
