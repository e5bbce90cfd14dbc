#include "pipeline/query.h"

#include <fmt/format.h>

#include "core/file_system.h"
#include "core/text.h"
#include "models/models.h"
#include "models/sql_tokens.h"
#include "pipeline/workspace.h"

namespace leat::pipeline {
namespace {

/// Make the views of what a statement reads; an unknown name is underlined where the statement has it.
void BindAt(engine::Engine& engine, const models::SelectReads& reads, const std::string& file, const std::string& sql) {
  for (const models::TableReference& table : reads.tables) {
    try {
      engine.Bind({table.Name()});
    } catch (Error& error) {
      if (table.position) error.SetPlace(models::PlaceOfToken(file, sql, *table.position));
      throw;
    }
  }
}

}  // namespace

void Query(const config::Project& project, const std::string& file, const std::string& sql, const CancelFlag& cancel,
           const std::function<void(duck::Result&)>& use) {
  Workspace workspace(project, Workspace::Access::kRead, cancel);
  engine::Engine& engine = workspace.engine();
  duck::Connection& connection = engine.connection();
  models::Macros macros(connection, project.macros);
  const models::SelectReads reads = models::ReadsOf(connection, macros, file, sql, engine.Names());
  BindAt(engine, reads, file, sql);
  macros.Make(connection, reads.macros);
  const std::vector<duck::Parameter> parameters = {{"run_time", SystemClock().Now()}};
  try {
    if (!connection.IsSingleSelect(sql))
      throw Error(kConfig, "LEAT0202", Place{file, 1, 1, 0}, "this is not one SELECT; the lake is read-only here")
          .Hint("write one SELECT statement");
    use(*connection.Stream(sql, parameters));
  } catch (const duck::QueryError& error) {
    throw models::ExplainFault(engine, error, file, sql);
  }
}

std::string PreviewSql(const config::Project& project, const std::string& table_or_file, int rows) {
  const std::string path = JoinPath(project.folder, table_or_file);
  if (table_or_file.ends_with(".sql")) return ReadFile(path);
  return fmt::format("SELECT * FROM {} LIMIT {}", table_or_file, rows);
}

}  // namespace leat::pipeline
