#include <fmt/format.h>

#include "core/text.h"
#include "models/build_mark.h"
#include "models/column_bounds.h"
#include "models/model_build.h"
#include "models/parameters.h"

namespace leat::models {
namespace {

/// Rows on their way into the table, each key once: good ones, and keys whose only rows were set aside.
constexpr const char* kIncoming = "leat_incoming";
/// What the table has of their keys, and in which file.
constexpr const char* kHeld = "leat_held";
/// A merge writes a file anew for one row that changes, so a table of more rows than this is parted.
constexpr int64_t kRowsPerFile = 1'000'000;

}  // namespace

void ModelBuild::WriteIncrement() {
  const BuildMark now = BuildMarkOf(context_.engine, node_.reads.TableNames(), context_.options.run_time);
  const std::optional<Timestamp> since = Since(now);
  build_mark_ = now.ToString();
  replace_all_ = !since;
  parameters_.push_back(SinceParameter(since.value_or(duck::kBeforeAll)));
  if (!replace_all_) return MergeRows();
  WriteTable();
  if (!EqualsBase()) PartByKey();
}

/// Write the rows once more, in files that each hold a range of the first column of the key.
void ModelBuild::PartByKey() {
  const int64_t parts = (lake::CountRows(added_) + kRowsPerFile - 1) / kRowsPerFile;
  if (parts < 2) return;
  const lake::Field& column = *schema_.Find(KeyOf(model_)[0]);
  const std::vector<lake::DataFile> all = added_;
  const std::vector<std::string> values = PartingValues(connection_, RowsSql(all), column, parts);
  if (values.empty()) return;
  added_.clear();
  for (size_t i = 0; i <= values.size(); ++i) {
    std::vector<std::string> limits = {"true"};
    const auto limit = [&](const char* sign, const std::string& value) {
      limits.push_back(fmt::format("{} {} CAST({} AS {})", QuoteIdentifier(column.name), sign, QuoteLiteral(value),
                                   lake::DuckType(column.type)));
    };
    if (i > 0) limit(">=", values[i - 1]);
    if (i < values.size()) limit("<", values[i]);
    for (lake::DataFile& file : Write(fmt::format("SELECT * FROM {} WHERE {}", RowsSql(all), Join(limits, " AND "))))
      added_.push_back(std::move(file));
  }
  written_.Remove(all);
}

/// Nothing: all rows are made anew.
std::optional<Timestamp> ModelBuild::Since(const BuildMark& now) {
  const bool is_other_model = last_.definition != now_.definition || schema_changed_;
  const auto last = LastBuildMark();
  if (context_.options.full_refresh || is_other_model || !last || !DigestIn(base_->snapshot()->summary) ||
      AreRejectsOutdated())
    return std::nullopt;
  return SinceOf(context_.engine, *last, now);
}

/// A commit that only set rows aside left no snapshot of the model, but one of its rejects.
std::optional<BuildMark> ModelBuild::LastBuildMark() const {
  if (!base_) return std::nullopt;
  const auto of_rows = BuildMark::Parse(base_->SummaryText("leat.read_to"));
  const auto of_rejects = BuildMark::Parse(rejects_base_ ? rejects_base_->SummaryText("leat.read_to") : std::string());
  return of_rows && of_rejects && of_rejects->run_time > of_rows->run_time ? of_rejects : of_rows;
}

/// Put the rows that changed in place of those of their keys. A file without such a key stays as it is.
void ModelBuild::MergeRows() {
  MakeIncoming();
  const std::vector<lake::DataFile> files =
      FilesThatMayHold(connection_, schema_, base_->files(), KeyOf(model_), kIncoming);
  FindHeld(files);
  const std::string key = QuoteList(KeyOf(model_));
  added_ =
      Write(fmt::format("SELECT {0} FROM {1} ANTI JOIN (FROM {2} WHERE _leat_is_same) USING ({3}) WHERE _leat_is_good",
                        QuoteList(schema_.Names()), kIncoming, kHeld, key));
  const std::string leaving = fmt::format("(SELECT {} FROM {} WHERE NOT _leat_is_same)", key, kHeld);
  std::vector<lake::DataFile> touched;
  for (const std::string& file : connection_.QueryTexts(
           fmt::format("SELECT DISTINCT _leat_file FROM {} WHERE NOT _leat_is_same ORDER BY 1", kHeld)))
    touched.push_back(files[std::stoul(file)]);
  for (const lake::DataFile& file : touched) {
    removed_.push_back(file);
    for (lake::DataFile& kept :
         Write(fmt::format("SELECT * FROM {} ANTI JOIN {} USING ({})", RowsSql({file}), leaving, key)))
      rewritten_.push_back(std::move(kept));
  }
  digest_ = *DigestIn(base_->snapshot()->summary) -
            DigestOf(connection_, schema_,
                     fmt::format("(SELECT * FROM {} SEMI JOIN {} USING ({}))", RowsSql(touched), leaving, key)) +
            DigestOf(connection_, schema_, RowsSql(added_));
  lost_keys_ =
      connection_.QueryInt64(fmt::format("SELECT count(*) FROM {} SEMI JOIN {} USING ({}) WHERE NOT _leat_is_good",
                                         kIncoming, kHeld, key)) > 0;
  connection_.Execute(fmt::format("DROP TABLE {}; DROP TABLE {}", kIncoming, kHeld));
}

/// Run the SELECT, set rows aside, and see that each key comes once.
void ModelBuild::MakeIncoming() {
  connection_.Query(fmt::format("CREATE OR REPLACE TEMP TABLE {} AS SELECT {} FROM ({}\n)", kIncoming,
                                Join(CastColumns(), ", "), SelectIn(model_.text)),
                    parameters_);
  merged_keys_ = kIncoming;
  const std::string good = SetAside(kIncoming);
  Checks().RequireKey(good);
  const std::string key = QuoteList(KeyOf(model_));
  // The newest row of a key counts: if it was set aside, the one before it is no longer true either.
  const std::string gone =
      good == kIncoming
          ? ""
          : fmt::format(
                " UNION ALL BY NAME SELECT DISTINCT {0}, false AS _leat_is_good FROM {1} ANTI JOIN {2} USING ({0})",
                key, kIncoming, good);
  connection_.Execute(fmt::format("CREATE OR REPLACE TEMP TABLE {} AS SELECT *, true AS _leat_is_good FROM {}{}",
                                  kIncoming, good, gone));
}

/// Look the incoming keys up in `files`, whose positions are their numbers.
void ModelBuild::FindHeld(const std::vector<lake::DataFile>& files) {
  std::vector<std::string> differences = {"NOT _leat_is_good"}, reads;
  for (const std::string& column : schema_.Names())
    differences.push_back(fmt::format("h.{0} IS DISTINCT FROM i.{0}", QuoteIdentifier(column)));
  for (size_t i = 0; i < files.size(); ++i)
    reads.push_back(fmt::format("SELECT {} AS _leat_file, * FROM {}", i, RowsSql({files[i]})));
  if (reads.empty()) reads.push_back(fmt::format("SELECT 0 AS _leat_file, * FROM {}", RowsSql({})));
  connection_.Execute(
      fmt::format("CREATE OR REPLACE TEMP TABLE {} AS SELECT {}, _leat_file, NOT ({}) AS _leat_is_same FROM ({}) h "
                  "JOIN {} i USING ({})",
                  kHeld, QuoteList(KeyOf(model_)), Join(differences, " OR "), Join(reads, " UNION ALL "), kIncoming,
                  QuoteList(KeyOf(model_))));
}

}  // namespace leat::models
