#pragma once

#include <optional>
#include <string>

#include "lake/table.h"

namespace leat::lake {

/// A change of one table whose data files are written, while its metadata waits for the commit of its run.
struct PendingTable {
  state::TableName name;
  std::optional<Table> base;  ///< the table as published; nothing: it is new
  std::string location;       ///< `raw/totesys/sales_order`
  TableChange change;
};

}  // namespace leat::lake
