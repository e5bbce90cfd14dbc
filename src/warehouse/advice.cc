#include "warehouse/advice.h"

#include <fmt/format.h>

#include "core/text.h"

namespace leat::warehouse {

const char* Maker(const TableSpec& spec) { return spec.is_stream ? "stream" : "model"; }

std::string AdviceOnName(const TableSpec& spec) {
  return spec.is_stream
             ? "choose another name with `rename` in the source's file, or another `schema` in leat.yaml"
             : "choose another name with `warehouse: {table: …}` in the model's head, or another `schema` in "
               "leat.yaml";
}

std::string AdviceOnValues(const TableSpec& spec, const ColumnSpec* column) {
  const std::string name = column != nullptr ? YamlName(column->source) : "<column>";
  if (!spec.is_stream)
    return fmt::format("give it a type that holds its values by  warehouse: {{types: {{{}: …}}}}  in the model's head",
                       name);
  return fmt::format(
      "take it as text by  columns: {{types: {{{0}: VARCHAR}}}}  in the source's file, or leave it out by  columns: "
      "{{exclude: [{0}]}}",
      name);
}

std::vector<std::string> AdviceOnDefinition(const TableSpec& spec, const std::string& table) {
  const std::string drop = fmt::format("let it be made anew: DROP TABLE {};", table);
  if (spec.is_stream) return {drop};
  return {"cast in the model, or set `warehouse: {types: …}` to the type that is there", "or " + drop};
}

Error MadeByOthers(const TableSpec& spec, bool is_table, std::vector<std::string> differences, std::string room) {
  Diagnostic told{
      .code = "LEAT0602", .place = spec.place, .help = {AdviceOnName(spec), "or make room for it: " + room}};
  const std::string name = spec.schema + "." + spec.table;
  if (is_table) {
    told.message = fmt::format("table {} is in the warehouse already, and this project did not make it", name);
    told.notes = std::move(differences);
    if (told.notes.empty()) told.notes.push_back("its columns and keys are those of " + spec.model);
  } else {
    told.message = fmt::format("{} is in the warehouse already, and is no table", name);
  }
  return Error(kConfig, std::move(told));
}

Error NotAlterable(const TableSpec& spec, const std::string& table, std::vector<std::string> refusals) {
  Diagnostic told{.code = "LEAT0607",
                  .message = fmt::format("warehouse table {}.{} cannot become what {} says now", spec.schema,
                                         spec.table, spec.model),
                  .place = spec.place,
                  .help = AdviceOnDefinition(spec, table),
                  .notes = std::move(refusals)};
  return Error(kConfig, std::move(told));
}

}  // namespace leat::warehouse
