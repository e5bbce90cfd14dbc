#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/environment.h"
#include "config/http_source.h"
#include "config/located.h"
#include "config/secret_reference.h"
#include "config/settings.h"
#include "core/error.h"

namespace leat::config {

/// The name of leat.yaml without any target.
inline constexpr std::string_view kNoTarget = "default";

/// A server or file the project talks to: an entry of `connections:`.
struct Connection {
  std::string name;
  Place place;
  std::string type;  ///< `postgres`, `duckdb`
  // postgres
  std::string host, port, database, user, service, sslmode;
  SecretReference password;  ///< looked up on first use
  // duckdb
  Located<std::string> path;  ///< absolute
};

/// What `columns:` says of a stream.
struct ColumnRules {
  std::vector<Located<std::string>> include;  ///< globs; empty: all
  std::vector<Located<std::string>> exclude;
  std::map<std::string, Located<std::string>> types;                ///< column of the source -> type in the lake
  enum class New { kAdd, kIgnore, kStop } on_new = New::kAdd;       ///< the source has a column that it had not before
  enum class Missing { kNull, kStop } on_missing = Missing::kNull;  ///< the source has a column no longer
  enum class Changed { kWiden, kStop } on_changed = Changed::kWiden;  ///< a column has another type
};

/// How often a stream looks for rows that were deleted at the source.
struct DeleteRule {
  enum class When { kAuto, kEveryRun, kEvery, kNever } when = When::kAuto;
  std::chrono::milliseconds interval{0};  ///< of kEvery
};

enum class ReadMode {
  kChanges,  ///< what transactions wrote since the last read, by their ids
  kFull      ///< everything, compared with what the lake has
};

/// How old a table's data may be. Nothing in it: there is no promise, whatever others say.
struct Freshness {
  std::optional<std::chrono::milliseconds> warn_after;   ///< older: the table is late
  std::optional<std::chrono::milliseconds> error_after;  ///< older: `leat check` fails

  bool empty() const { return !warn_after && !error_after; }
};

/// One entry of `streams:`; its pattern is a glob or an exact name as the source spells it. As read from a file it
/// holds only what the entry itself gives; `Source::RuleFor` says what applies to a stream.
struct StreamRule {
  Located<std::string> pattern;
  bool skip = false;
  ReadMode read = ReadMode::kChanges;
  DeleteRule deletes;
  std::vector<Located<std::string>> key;
  std::optional<Located<std::string>> version, version_time;
  ColumnRules columns;
  std::map<std::string, Located<std::string>> rename;  ///< column of the source -> column in leat
  std::optional<Located<std::string>> rename_to;       ///< the stream's own name in leat; set by Source::RuleFor
  std::vector<std::string> tags;
  std::string description;
  std::string owner;
  std::optional<Freshness> freshness;
  bool lands = true;           ///< http: answers are kept in landing as received
  int64_t rejects_max = 1000;  ///< http: more rejected records than this fail the stream
  HttpRules http;              ///< of type `http`
  std::set<std::string>
      given;  ///< the keys the entry gives, also as null: `skip`, `key`, `columns.include`, `columns.exclude`, …

  /// Whether the pattern names one table; otherwise it is a glob.
  bool exact() const { return pattern.value.find_first_of("*?") == std::string::npos; }
};

/// A file of `sources/`: a namespace of streams.
///
/// `rename` names what stands directly inside: at the top of the file the streams (`rename: {"Orders": orders_upper}`),
/// in an entry of `streams:` its columns (`Orders: {rename: {"Id": id_upper}}`). Every other stream key may stand at
/// the top of the file as well and is then the default of all streams.
struct Source {
  std::string name;
  std::string file;
  std::string type;                 ///< `postgres`, `http`
  Located<std::string> connection;  ///< http: empty, at the place of `base_url`
  std::string schema = "public";
  Place schema_place;                                  ///< of `schema:`, if it is given
  std::vector<StreamRule> streams;                     ///< in the order of the file; without `streams:`, one for "*"
  StreamRule defaults;                                 ///< the stream keys at the top of the file; its pattern is "*"
  std::map<std::string, Located<std::string>> rename;  ///< table of the source -> stream in leat
  HttpSource http;                                     ///< of type `http`
  std::string description;                             ///< of schema.yml
  std::optional<Freshness> freshness;                  ///< of schema.yml, for streams that have none of their own

  /// What applies to the table `stream`, as the source spells it: the defaults, over them the globs in the order of the
  /// file, over them the exact name. Maps merge, lists replace, null removes. `pattern` is that of the last one
  /// applied, `rename_to` comes from `rename`. nullopt: no entry matches, the table is not read.
  std::optional<StreamRule> RuleFor(const std::string& stream) const;
  /// The same for a stream by its name in leat: `orders_upper` of the table `Orders`.
  std::optional<StreamRule> RuleOfStream(const std::string& stream) const;
  /// What the stream of a table is called in leat: `totesys.orders_upper` of the table `Orders`.
  std::string StreamName(const std::string& table) const;
};

struct Warehouse {
  Place place;
  Located<std::string> connection;
  std::string schema = "public";           ///< as written, with `{namespace}`
  std::vector<Located<std::string>> load;  ///< globs over names of models and streams; empty: all models

  /// The schema of the tables of a source or model folder.
  std::string SchemaOf(const std::string& name_space) const;
};

enum class CheckSeverity { kError, kWarn, kReject };

/// One rule of a model's `checks:`.
struct CheckRule {
  std::string rule;  ///< not_null, unique, accepted_values, references, range, rows
  Place place;
  CheckSeverity severity = CheckSeverity::kError;
  std::string where;                          ///< SQL condition on the rows the rule is about; empty: all
  std::vector<Located<std::string>> columns;  ///< not_null: each of them; unique: together
  struct ColumnValues {
    Located<std::string> column;
    std::vector<std::string> values;  ///< as text; compared after a cast to the column's type
  };
  std::vector<ColumnValues> accepted;  ///< accepted_values
  struct Reference {
    Located<std::string> column;
    Located<std::string> table;  ///< `mart.dim_design`; the column of its key
    Located<std::string> field;  ///< what schema.yml takes for that key; empty: not said
  };
  std::vector<Reference> references;
  struct Range {
    Located<std::string> column;
    std::optional<std::string> min, max;  ///< as text
  };
  std::vector<Range> ranges;
  std::optional<int64_t> rows_min, rows_max;
};

enum class ModelKind { kTable, kIncremental, kHistory, kPeriod, kScd2, kDimDate };
/// The word that `kind:` has for it.
const char* KindName(ModelKind kind);

/// What a model of kind `period` is built by.
enum class PeriodLength { kMonth, kDay };
/// The word that `period:` has for it.
const char* PeriodName(PeriodLength length);

/// How a model is loaded into the warehouse.
struct ModelWarehouse {
  bool load = true;
  std::string table;                                   ///< empty: the model's own name
  std::map<std::string, Located<std::string>> rename;  ///< column -> name in the warehouse
  std::map<std::string, Located<std::string>> types;   ///< column -> type in the warehouse
};

/// A column as schema.yml describes it.
struct ColumnProperties {
  Located<std::string> name;
  std::string description;
  std::optional<Located<std::string>> data_type;  ///< the type it must have
};

/// What schema.yml says of a stream. Its checks are judged on the current rows.
struct StreamProperties {
  std::string name;  ///< `totesys.payment`
  Place place;
  std::string description;
  std::string owner;
  std::vector<std::string> tags;
  std::vector<ColumnProperties> columns;
  std::vector<CheckRule> checks;
  std::optional<Freshness> freshness;
  std::optional<Located<std::string>> loaded_at_field;  ///< its newest value is the moment up to which there is data

  /// Whether there is anything that its rows or columns can break.
  bool CanFail() const { return !checks.empty() || !columns.empty(); }
};

/// What schema.yml says of a use outside of leat: a report, an application.
struct Exposure {
  Located<std::string> name;
  std::string description;
  std::string owner;
  std::vector<Located<std::string>> depends_on;  ///< tables: `mart.dim_staff`, `totesys.payment`
};

/// A file of `models/`: one table.
struct Model {
  std::string name;        ///< `mart.dim_staff`
  std::string name_space;  ///< `mart`
  std::string table;       ///< `dim_staff`
  std::string file;        ///< relative to the project
  std::string text;        ///< the whole file; offsets of its SQL are offsets in the file, since the head is a comment
  Place head_place;
  ModelKind kind = ModelKind::kTable;
  std::vector<Located<std::string>> key;
  std::optional<Located<std::string>> record_id;
  bool keep_deleted = false;
  bool history_keeps_deletes = false;  ///< `deletes: keep`
  std::vector<CheckRule> checks;
  ModelWarehouse warehouse;
  std::vector<std::string> tags;
  std::string description;
  std::string owner;
  std::optional<Freshness> freshness;
  std::vector<ColumnProperties> columns;  ///< those that schema.yml describes
  // kind: dim_date
  std::optional<Located<std::string>> date_from, date_to;  ///< yyyy-mm-dd
  std::string day_of_week = "iso";  ///< iso (Monday 1 … Sunday 7), sunday0 (Sunday 0 … Saturday 6), monday0
  // kind: period
  PeriodLength period = PeriodLength::kMonth;
  Located<std::string> time;                         ///< output column that says which period a row belongs to
  std::optional<Located<std::string>> periods_from;  ///< `from`, yyyy-mm-dd: in the first period
};

/// A file of `seeds/`.
struct Seed {
  std::string name;  ///< `seeds.iso_4217`
  std::string file;
  std::map<std::string, Located<std::string>> types;  ///< column -> DuckDB type, from seeds/NAME.yaml
};

/// A file of `macros/`.
struct MacroFile {
  std::string file;
  std::string text;
};

/// A file of `checks/`: a query that must return no rows.
struct CheckQuery {
  std::string name;  ///< the file's name without `.sql`
  std::string file;
  std::string text;
  CheckSeverity severity = CheckSeverity::kError;
  std::string description;
  std::vector<std::string> tags;
};

struct Limits {
  int threads = 0;           ///< 0: the machine's cores
  int64_t memory_bytes = 0;  ///< 0: half of the machine's memory
};

struct Retention {
  std::chrono::milliseconds runs = std::chrono::hours(24 * 400);  ///< records and logs of runs
};

/// Everything a project's files say, checked one by one; what needs a database or a parser of SQL is checked by others.
struct Project {
  std::string folder;  ///< absolute
  std::string name;
  /// Which of `targets:` is laid over the file, and what chose it: a variable of the environment, or no place for the
  /// command line. `default`: none.
  Located<std::string> target{std::string(kNoTarget), {}};
  std::vector<std::string> targets;  ///< all that may be chosen, kNoTarget first
  std::vector<Setting> settings;     ///< what leat.yaml comes to, value by value
  Located<std::string> timezone{"UTC", {}};  ///< by its IANA name: where calendar days begin and end
  Located<std::string> lake;         ///< absolute folder
  Located<std::string> state;        ///< absolute path of the state database
  std::map<std::string, Connection> connections;
  std::optional<Warehouse> warehouse;
  Limits limits;
  Retention retention;
  Freshness freshness;          ///< of tables that have none of their own
  std::vector<Source> sources;  ///< sorted by name
  std::vector<Model> models;    ///< sorted by name
  std::vector<Seed> seeds;
  std::vector<MacroFile> macros;          ///< sorted by file
  std::vector<CheckQuery> checks;         ///< sorted by name
  std::vector<StreamProperties> streams;  ///< those that schema.yml describes, sorted by name
  std::vector<Exposure> exposures;

  const Source* FindSource(const std::string& source) const;
  const Model* FindModel(const std::string& model) const;
  /// What schema.yml says of `totesys.payment`; null: nothing.
  const StreamProperties* FindStream(const std::string& stream) const;
  /// Whether the source of a stream asks for it no more: by `skip: true`, or by naming it nowhere.
  bool IsLeftOut(const std::string& stream) const;
  /// Of a stream: its own file's, else schema.yml's.
  std::vector<std::string> TagsOf(const std::string& stream) const;
  /// The promise of a stream or a model: its own file's, else schema.yml's, else leat.yaml's. Empty for what is left
  /// out.
  Freshness FreshnessOf(const std::string& table) const;
};

/// What reading a project found: faults of files are collected, so that one reading shows them all. Unless `ok`,
/// `project` lacks what was faulty and is good for nothing but its folder and names.
struct LoadResult {
  Project project;
  std::vector<Diagnostic> diagnostics;
  bool ok() const;  ///< no diagnostic is an error
};

/// Read the project in `folder`, or in the nearest folder above it that holds a leat.yaml.
/// Values come from the environment (`LEAT_LAKE`, …) before the target, from the target before the file, from the file
/// before the default. `target` is an entry of `targets:` or `default`; empty: what LEAT_TARGET says, else none.
/// No server is spoken to and no secret is looked up.
/// Throws: Error(kConfig, LEAT0101) where no leat.yaml is found. All other faults are in `diagnostics`.
LoadResult LoadProject(const std::string& folder);
LoadResult LoadProject(const std::string& folder, const Environment& environment, const std::string& target = "");

}  // namespace leat::config
