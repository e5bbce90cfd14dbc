#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>

#include "cli/terminal.h"
#include "duck/database.h"

namespace leat::cli {

enum class RowFormat { kTable, kCsv, kJson };

/// Takes text as it is made.
using TextSink = std::function<void(std::string_view)>;

struct RowsWritten {
  int64_t rows = 0;     ///< written
  int64_t omitted = 0;  ///< seen, but over the limit
};

/// How many rows to write, and whether the others are worth counting: that runs the query to its end.
struct RowLimit {
  enum class Rest { kCount, kLookOnce };
  int64_t rows_max = std::numeric_limits<int64_t>::max();
  Rest rest = Rest::kCount;  ///< kLookOnce: stop at the first row too many; `omitted` is 1 then
};

/// Write the first rows of `result`. Memory is bounded for CSV and JSON; a table is held whole, because its widths
/// depend on all its rows.
///
/// CSV follows RFC 4180 with LF: a header, fields quoted where they must be, NULL empty and an empty text `""`.
/// JSON is an array of objects, one a line. A name that comes twice gets a number: `a`, `a_1`.
/// The table is drawn for `terminal`: fitted to its width, columns that find no room left out and named.
RowsWritten WriteRows(duck::Result& result, RowFormat format, const RowLimit& limit, const Terminal& terminal,
                      const TextSink& sink);

}  // namespace leat::cli
