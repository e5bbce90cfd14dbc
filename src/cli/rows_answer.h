#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/row_writer.h"
#include "cli/session.h"
#include "config/project.h"

namespace leat::cli {

/// What `preview` and `query` have in common: run one SELECT and give its rows as the flags wish.
struct RowsQuestion {
  std::string file;  ///< origin of the SQL, for messages
  std::string sql;
  std::optional<int64_t> rows_max;  ///< nullopt: all; a table on a terminal shows fewer all the same
  std::string more_hint;            ///< how to see more rows: `-n 40`
};

/// The format that --format, the ending of -o, or the kind of standard output asks for.
/// Throws: Error(kConfig, LEAT0195) for an ending that says nothing.
RowFormat ChooseFormat(const CommandLine& line, const Terminal& terminal);

/// Throws: ReaderGone when standard output was closed.
void AnswerRows(Session& session, const config::Project& project, const RowsQuestion& question);

}  // namespace leat::cli
