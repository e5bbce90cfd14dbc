#include "config/fields.h"

#include <algorithm>
#include <vector>

#include "core/text.h"

namespace leat::config {
namespace {

using enum FieldType;
using enum FieldShape;

constexpr int64_t kMebibyte = int64_t{1} << 20;
constexpr int64_t kTebibyte = int64_t{1} << 40;

constexpr std::string_view kConnectionTypes[] = {"postgres", "duckdb"};
constexpr std::string_view kSourceTypes[] = {"postgres", "http"};
constexpr std::string_view kAuthTypes[] = {"basic", "bearer", "header", "query", "oauth2"};
constexpr std::string_view kPagingTypes[] = {"token", "page", "offset", "link", "cursor_in_body"};
constexpr std::string_view kTimeUnits[] = {"s", "ms", "iso", "date"};
constexpr std::string_view kRecordFormats[] = {"json", "jsonl", "csv"};
constexpr std::string_view kMethods[] = {"GET", "POST"};
constexpr std::string_view kLandings[] = {"raw", "none"};
constexpr std::string_view kReadModes[] = {"changes", "full"};
constexpr std::string_view kDeleteModes[] = {"auto", "every_run", "never"};
constexpr std::string_view kNewColumns[] = {"add", "ignore", "stop"};
constexpr std::string_view kMissingColumns[] = {"null", "stop"};
constexpr std::string_view kChangedColumns[] = {"widen", "stop"};
constexpr std::string_view kSslModes[] = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"};
constexpr std::string_view kSqlModelKinds[] = {"table", "incremental", "history", "period", "scd2"};
constexpr std::string_view kGeneratedModelKinds[] = {"dim_date"};
constexpr std::string_view kDeletes[] = {"ignore", "keep"};
constexpr std::string_view kPeriodLengths[] = {"month", "day"};
constexpr std::string_view kDaysOfWeek[] = {"iso", "sunday0", "monday0"};
constexpr std::string_view kRuleSeverities[] = {"error", "warn", "reject"};
constexpr std::string_view kQuerySeverities[] = {"error", "warn"};

// --- leat.yaml ---

constexpr Field kConnectionFields[] = {
    {.name = "type",
     .type = kChoice,
     .text = "What is spoken to.",
     .example = "postgres",
     .required = true,
     .choices = kConnectionTypes},
    {.name = "host",
     .text = "Name or address of the server, or the folder of its socket.",
     .example = "db.internal",
     .of_type = "postgres"},
    {.name = "port",
     .type = kInteger,
     .text = "Port of the server.",
     .example = "5432",
     .min = 1,
     .max = 65535,
     .of_type = "postgres"},
    {.name = "database", .text = "Name of the database.", .example = "totesys", .of_type = "postgres"},
    {.name = "user", .text = "Role to log in as.", .example = "reader", .of_type = "postgres"},
    {.name = "password",
     .type = kSecret,
     .text = "Where the password is; without it, ~/.pgpass and PGPASSWORD count.",
     .example = "\"${TOTESYS_PASSWORD}\"",
     .of_type = "postgres"},
    {.name = "service",
     .text = "Entry of the PostgreSQL service file that says the rest.",
     .example = "warehouse",
     .of_type = "postgres"},
    {.name = "sslmode",
     .type = kChoice,
     .text = "How far the server must prove who it is: verify-full, but prefer on loopback addresses and sockets.",
     .example = "verify-full",
     .choices = kSslModes,
     .of_type = "postgres"},
    {.name = "path",
     .type = kPath,
     .text = "The DuckDB file; it is made at the first load, its folder must be there.",
     .example = "./warehouse.duckdb",
     .required = true,
     .of_type = "duckdb"},
};
constexpr Section kConnectionSection{kConnectionFields};

constexpr Field kWarehouseFields[] = {
    {.name = "connection",
     .type = kName,
     .text = "Connection of the warehouse.",
     .example = "warehouse",
     .required = true},
    {.name = "schema",
     .text = "Schema its tables are made in; without it, public, and main in a DuckDB file. {namespace} stands for a "
             "table's source or model folder.",
     .example = "public"},
    {.name = "load",
     .type = kGlob,
     .shape = kList,
     .text = "Models and streams to load, as names or patterns; without it, all models and no stream.",
     .example = "[\"mart.*\", \"totesys.*\"]",
     .single = true},
};
constexpr Section kWarehouseSection{kWarehouseFields};

constexpr Field kFreshnessFields[] = {
    {.name = "warn_after", .type = kDuration, .text = "Data that is older makes the table late.", .example = "20m"},
    {.name = "error_after", .type = kDuration, .text = "Data that is older makes `leat check` fail.", .example = "30m"},
};
constexpr Section kFreshnessSection{kFreshnessFields};

constexpr Field kLimitsFields[] = {
    {.name = "threads",
     .type = kInteger,
     .text = "Threads that work at once; without it, the machine's cores.",
     .example = "4",
     .min = 1,
     .max = 256},
    {.name = "memory",
     .type = kSize,
     .text = "Memory of a run; without it, half of the machine's.",
     .example = "2GB",
     .min = 128 * kMebibyte,
     .max = 64 * kTebibyte},
};
constexpr Section kLimitsSection{kLimitsFields};

constexpr Field kRetentionFields[] = {
    {.name = "runs",
     .type = kDuration,
     .text = "How long runs and their logs are remembered; the newest of each table always is.",
     .example = "90d",
     .default_value = "400d"},
};
constexpr Section kRetentionSection{kRetentionFields};

// What a target may set, which is all but the name: another name would be another catalog.
constexpr Field kTargetFields[] = {
    {.name = "timezone",
     .text =
         "Time zone of calendar days and months, by its name in the IANA database; the rows themselves stay in UTC.",
     .example = "Europe/London",
     .default_value = "UTC"},
    {.name = "lake", .type = kPath, .text = "Folder of the lake.", .example = "./lake", .default_value = "./lake"},
    {.name = "state",
     .type = kPath,
     .text = "File of the state database.",
     .example = "./.leat/state.db",
     .default_value = "./.leat/state.db"},
    {.name = "connections",
     .type = kSection,
     .shape = kMap,
     .text = "Databases to read from or to load into.",
     .example = "{totesys: {type: postgres, host: db.internal, database: totesys, user: reader}}",
     .section = &kConnectionSection,
     .key_type = kName},
    {.name = "warehouse",
     .type = kSection,
     .text = "Where finished tables go; without it, the lake is the warehouse.",
     .example = "{connection: warehouse, schema: public, load: [\"mart.*\"]}",
     .section = &kWarehouseSection},
    {.name = "freshness",
     .type = kSection,
     .text = "How old the data of a table made from streams may be that has no `freshness` of its own.",
     .example = "{warn_after: 20m, error_after: 30m}",
     .section = &kFreshnessSection},
    {.name = "limits",
     .type = kSection,
     .text = "How much of the machine a run may take.",
     .example = "{threads: 4, memory: 2GB}",
     .section = &kLimitsSection},
    {.name = "retention",
     .type = kSection,
     .text = "How long things are kept.",
     .example = "{runs: 90d}",
     .section = &kRetentionSection},
};

constexpr Field kTargetsField[] = {
    {.name = "targets",
     .type = kSection,
     .shape = kMap,
     .text = "Named sets of values, laid over the file by --target or LEAT_TARGET: maps merge, lists and single values "
             "replace, null removes.",
     .example = "{prod: {lake: /srv/shop/lake, state: /srv/shop/state/state.db}}",
     .section = &kTargetSection,
     .key_type = kName},
};
constexpr Section kTargetsSection{kTargetsField};
constexpr Section kAfterNameSection{kTargetFields, &kTargetsSection};

constexpr Field kNameField[] = {
    {.name = "name",
     .type = kName,
     .text = "Name of the project, and of its Iceberg catalog.",
     .example = "shop",
     .required = true},
};

// --- sources/*.yaml ---

constexpr Field kColumnsFields[] = {
    {.name = "include",
     .type = kGlob,
     .shape = kList,
     .text = "Columns to read; without it, all.",
     .example = "[id, \"name_*\"]",
     .single = true},
    {.name = "exclude",
     .type = kGlob,
     .shape = kList,
     .text = "Columns to leave out.",
     .example = "[\"*_ac_number\"]",
     .single = true},
    {.name = "types",
     .type = kSqlType,
     .shape = kMap,
     .text = "Types of columns in the lake: VARCHAR takes the exact text of any, DOUBLE the nearest of any number.",
     .example = "{amount: DOUBLE}",
     .nullable = true},
    {.name = "new",
     .type = kChoice,
     .text = "What a column does that the source has now and had not before: add, ignore, or stop the stream.",
     .example = "stop",
     .choices = kNewColumns},
    {.name = "missing",
     .type = kChoice,
     .text = "What a column does that the source has no longer: null from now on, or stop the stream.",
     .example = "stop",
     .choices = kMissingColumns,
     .nullable = true},
    {.name = "changed",
     .type = kChoice,
     .text = "What a column of another type does: widen where nothing is lost, or stop the stream in any case.",
     .example = "stop",
     .choices = kChangedColumns},
};
constexpr Section kColumnsSection{kColumnsFields};

// Of `type: http`.

constexpr Field kAuthFields[] = {
    {.name = "type",
     .type = kChoice,
     .text = "How requests prove whose they are.",
     .example = "basic",
     .required = true,
     .choices = kAuthTypes},
    {.name = "user",
     .type = kTemplate,
     .text = "User name; many APIs take their key here.",
     .example = "\"{api_key}\"",
     .required = true,
     .of_type = "basic"},
    {.name = "password",
     .type = kCredential,
     .text = "Where the password is; without it, an empty one.",
     .example = "\"${BILLING_PASSWORD}\"",
     .of_type = "basic"},
    {.name = "token",
     .type = kCredential,
     .text = "Where the token is.",
     .example = "\"${BILLING_TOKEN}\"",
     .required = true,
     .of_type = "bearer"},
    {.name = "name",
     .text = "Of type header: the header that holds the key; of type query: the parameter.",
     .example = "X-Api-Key"},
    {.name = "value",
     .type = kCredential,
     .text = "Of type header and query: where the key is.",
     .example = "\"${BILLING_KEY}\""},
    {.name = "token_url",
     .type = kTemplate,
     .text = "Address that gives tokens for client credentials.",
     .example = "https://login.acme.example/oauth/token",
     .required = true,
     .of_type = "oauth2"},
    {.name = "client_id",
     .type = kTemplate,
     .text = "Name of the client.",
     .example = "leat",
     .required = true,
     .of_type = "oauth2"},
    {.name = "client_secret",
     .type = kCredential,
     .text = "Where its secret is.",
     .example = "\"${CLIENT_SECRET}\"",
     .required = true,
     .of_type = "oauth2"},
    {.name = "scope", .text = "Rights that are asked for.", .example = "invoices.read", .of_type = "oauth2"},
};
constexpr Section kAuthSection{kAuthFields};

constexpr Field kRateLimitFields[] = {
    {.name = "requests",
     .type = kInteger,
     .text = "Requests that may begin within `per`.",
     .example = "150",
     .default_value = "10",
     .min = 1,
     .max = 1'000'000},
    {.name = "per",
     .type = kDuration,
     .text = "The span that `requests` are counted in.",
     .example = "1m",
     .default_value = "1s"},
    {.name = "concurrent",
     .type = kInteger,
     .text = "Requests that may be on their way at once.",
     .example = "4",
     .default_value = "4",
     .min = 1,
     .max = 64},
};
constexpr Section kRateLimitSection{kRateLimitFields};

constexpr Field kRetryFields[] = {
    {.name = "attempts",
     .type = kInteger,
     .text = "How often a request is made at most, the first time included.",
     .example = "5",
     .default_value = "5",
     .min = 1,
     .max = 20},
    {.name = "status",
     .type = kInteger,
     .shape = kList,
     .text = "Status codes that pass; without it, 408, 429, 500, 502, 503 and 504.",
     .example = "[429, 503]",
     .min = 400,
     .max = 599,
     .single = true},
    {.name = "wait_max",
     .type = kDuration,
     .text = "The longest pause between two attempts; a server that asks for a longer one is not waited for.",
     .example = "2m",
     .default_value = "2m"},
};
constexpr Section kRetrySection{kRetryFields};

constexpr Field kPaginateFields[] = {
    {.name = "type",
     .type = kChoice,
     .text = "How the next page is found.",
     .example = "token",
     .required = true,
     .choices = kPagingTypes},
    {.name = "read",
     .type = kJsonPath,
     .text = "Where an answer has the token, the cursor or the link of the next page; of type link: without it, the "
             "header Link counts.",
     .example = "$.next_offset"},
    {.name = "param",
     .text = "Parameter of the query that takes the token, the page's number or the offset.",
     .example = "offset"},
    {.name = "field",
     .text = "Field of the body that takes the cursor.",
     .example = "cursor",
     .required = true,
     .of_type = "cursor_in_body"},
    {.name = "size_param", .text = "Parameter of the query that takes `size`.", .example = "limit"},
    {.name = "size",
     .type = kInteger,
     .text = "Rows of a page; by it an offset moves on.",
     .example = "100",
     .min = 1,
     .max = 1'000'000},
    {.name = "start",
     .type = kInteger,
     .text = "Number of the first page.",
     .example = "0",
     .default_value = "1",
     .min = 0,
     .max = 1'000'000,
     .of_type = "page"},
    {.name = "max_pages",
     .type = kInteger,
     .text = "More pages than this in one series are a fault.",
     .example = "1000",
     .default_value = "100000",
     .min = 1,
     .max = 10'000'000},
};
constexpr Section kPaginateSection{kPaginateFields};

constexpr Field kPositionFields[] = {
    {.name = "from",
     .text = "Field of the records that says when they changed.",
     .example = "updated_at",
     .required = true},
    {.name = "unit",
     .type = kChoice,
     .text = "How the API writes times: seconds or milliseconds since 1970, ISO 8601, or days.",
     .example = "s",
     .default_value = "iso",
     .choices = kTimeUnits},
    {.name = "overlap",
     .type = kDuration,
     .text = "How far before the last read {since} reaches, for rows that become visible late.",
     .example = "10m",
     .default_value = "5m"},
    {.name = "start", .type = kDate, .text = "The first {since}; without it, 1970.", .example = "2015-01-01"},
    {.name = "window",
     .type = kDuration,
     .text = "A longer span is read in parts of this length, each with a commit of its own.",
     .example = "7d",
     .default_value = "30d"},
};
constexpr Section kPositionSection{kPositionFields};

constexpr Field kSkipWhenFields[] = {
    {.name = "status",
     .type = kInteger,
     .text = "Status of the answer.",
     .example = "400",
     .required = true,
     .min = 400,
     .max = 599},
    {.name = "text",
     .text = "What its body holds, in any case; without it, the status is enough.",
     .example = "not enabled"},
};
constexpr Section kSkipWhenSection{kSkipWhenFields};

constexpr Field kForEachFields[] = {
    {.name = "stream",
     .text = "Stream of this file whose rows are gone through.",
     .example = "invoices",
     .required = true},
    {.name = "values",
     .shape = kMap,
     .text = "Names that may stand in braces, each with the column of that stream it takes its values from.",
     .example = "{invoice_id: id}",
     .required = true,
     .key_type = kName},
};
constexpr Section kForEachSection{kForEachFields};

constexpr Field kTimestampsFields[] = {
    {.name = "columns",
     .type = kGlob,
     .shape = kList,
     .text = "Fields that hold times.",
     .example = "[\"*_at\", date]",
     .required = true,
     .single = true},
    {.name = "unit",
     .type = kChoice,
     .text = "How they are written; without it, as `position` says.",
     .example = "ms",
     .choices = kTimeUnits},
};
constexpr Section kTimestampsSection{kTimestampsFields};

constexpr Field kCsvFields[] = {
    {.name = "delimiter", .text = "What stands between two values; without it, found out.", .example = "\";\""},
    {.name = "quote", .text = "What stands around values; without it, found out.", .example = "\"'\""},
    {.name = "header",
     .type = kBoolean,
     .text = "Whether the first line has the names; without it, found out.",
     .example = "true"},
    {.name = "nulls",
     .type = kScalar,
     .shape = kList,
     .text = "Texts that stand for no value, beside none at all.",
     .example = "[N/A]",
     .single = true},
    {.name = "encoding", .text = "Encoding of the text; without it, UTF-8.", .example = "latin-1"},
};
constexpr Section kCsvSection{kCsvFields};

constexpr Field kStreamFields[] = {
    {.name = "skip", .type = kBoolean, .text = "Leave this stream out.", .example = "true", .nullable = true},
    {.name = "read",
     .type = kChoice,
     .text = "How changes are found: by the source's transaction ids, or by comparing everything; without it, changes.",
     .example = "full",
     .choices = kReadModes,
     .nullable = true,
     .of_type = "postgres"},
    {.name = "deletes",
     .type = kDuration,
     .text = "How often to look for deleted rows; without it, auto: at every run while that is quick, else now and "
             "then, at least daily.",
     .example = "6h",
     .choices = kDeleteModes,
     .nullable = true,
     .of_type = "postgres"},
    {.name = "key",
     .shape = kList,
     .text = "Columns that identify a row; without it, a database's primary key.",
     .example = "[order_id, line]",
     .single = true,
     .distinct = true,
     .nullable = true},
    {.name = "columns",
     .type = kSection,
     .text = "Which columns are read.",
     .example = "{exclude: [phone]}",
     .section = &kColumnsSection,
     .nullable = true},
    {.name = "rename",
     .type = kName,
     .shape = kMap,
     .text = "Columns to call otherwise: the source's name to leat's.",
     .example = "{\"Id\": id_upper}",
     .nullable = true},
    {.name = "version",
     .text = "Column that grows with each version of a row: a lesser one never replaces a greater one.",
     .example = "resource_version",
     .nullable = true,
     .of_type = "http"},
    {.name = "version_time",
     .text = "Column that says from when on a version holds, for `<stream>__at(t)`; without it, when it was read.",
     .example = "updated_at",
     .nullable = true},
    {.name = "path",
     .type = kTemplate,
     .text = "Path of the requests, below base_url; without it, the stream's name.",
     .example = "/subscriptions",
     .nullable = true,
     .of_type = "http"},
    {.name = "method",
     .type = kChoice,
     .text = "Method of the requests; without it, GET, and POST where there is a body.",
     .example = "POST",
     .choices = kMethods,
     .nullable = true,
     .of_type = "http"},
    {.name = "params",
     .type = kTemplate,
     .shape = kMap,
     .text = "Parameters of the query; a value of null takes an inherited one out.",
     .example = "{limit: 100, \"updated_at[after]\": \"{since}\"}",
     .nullable = true,
     .nullable_values = true,
     .of_type = "http"},
    {.name = "headers",
     .type = kTemplate,
     .shape = kMap,
     .text = "Headers of the requests, none of them secret; a value of null takes an inherited one out.",
     .example = "{Accept-Version: \"2\"}",
     .nullable = true,
     .nullable_values = true,
     .of_type = "http"},
    {.name = "body",
     .type = kAny,
     .text = "What is sent as JSON.",
     .example = "{filter: {changed_after: \"{since}\"}}",
     .nullable = true,
     .of_type = "http"},
    {.name = "format",
     .type = kChoice,
     .text = "What answers are written in; without it, json.",
     .example = "csv",
     .choices = kRecordFormats,
     .nullable = true,
     .of_type = "http"},
    {.name = "csv",
     .type = kSection,
     .text = "How CSV is written.",
     .example = "{nulls: [N/A]}",
     .section = &kCsvSection,
     .nullable = true,
     .of_type = "http"},
    {.name = "records",
     .type = kJsonPath,
     .text = "Where the rows are in an answer; without it, the answer is the list of them.",
     .example = "\"$.list[*].subscription\"",
     .nullable = true,
     .of_type = "http"},
    {.name = "paginate",
     .type = kSection,
     .text = "How the next page is found; without it, there is one.",
     .example = "{type: token, read: $.next_offset, param: offset}",
     .section = &kPaginateSection,
     .nullable = true,
     .of_type = "http"},
    {.name = "position",
     .type = kSection,
     .text = "How requests ask for what changed since the last read; without it, everything is read.",
     .example = "{from: updated_at, unit: s}",
     .section = &kPositionSection,
     .nullable = true,
     .of_type = "http"},
    {.name = "deleted",
     .type = kScalar,
     .shape = kMap,
     .text = "A field, and the value by which it says that the row is deleted.",
     .example = "{deleted: true}",
     .nullable = true,
     .of_type = "http"},
    {.name = "timestamps",
     .type = kSection,
     .text = "Fields that hold times, as a list of names and patterns or a map that says their unit too.",
     .example = "[\"*_at\", date]",
     .section = &kTimestampsSection,
     .nullable = true,
     .list_of = "columns",
     .of_type = "http"},
    {.name = "children",
     .shape = kList,
     .text = "Lists of objects that become tables of their own, by the fields' names; without it, all down to three "
             "levels.",
     .example = "[addons, coupons]",
     .distinct = true,
     .nullable = true,
     .of_type = "http"},
    {.name = "flatten",
     .type = kInteger,
     .text = "How many levels of objects within objects become columns; what is deeper stays JSON; without it, 3.",
     .example = "1",
     .min = 0,
     .max = 8,
     .nullable = true,
     .of_type = "http"},
    {.name = "skip_when",
     .type = kSection,
     .text = "An answer that means that there is nothing to read here: a warning, no fault.",
     .example = "{status: 400, text: not enabled}",
     .section = &kSkipWhenSection,
     .nullable = true,
     .of_type = "http"},
    {.name = "for_each",
     .type = kSection,
     .text = "Requests are made for each row of another stream that is new or changed.",
     .example = "{stream: invoices, values: {invoice_id: id}}",
     .section = &kForEachSection,
     .nullable = true,
     .of_type = "http"},
    {.name = "landing",
     .type = kChoice,
     .text = "Whether answers are kept as received; without it, raw.",
     .example = "none",
     .choices = kLandings,
     .nullable = true,
     .of_type = "http"},
    {.name = "rejects_max",
     .type = kInteger,
     .text = "More refused records than this in one read fail the stream; without it, 1000.",
     .example = "10",
     .min = 0,
     .max = 1'000'000'000,
     .nullable = true,
     .of_type = "http"},
    {.name = "tags",
     .type = kName,
     .shape = kList,
     .text = "Words to select by.",
     .example = "[finance]",
     .single = true,
     .nullable = true},
    {.name = "description", .text = "What a row is.", .example = "One payment per order.", .nullable = true},
    {.name = "owner", .text = "Who to ask.", .example = "sales-data", .nullable = true},
    {.name = "freshness",
     .type = kSection,
     .text = "How old its data may be; stands in place of leat.yaml's as a whole.",
     .example = "{warn_after: 1h, error_after: 2h}",
     .section = &kFreshnessSection,
     .nullable = true},
};

constexpr Field kSourceFields[] = {
    {.name = "type",
     .type = kChoice,
     .text = "What kind of source this is.",
     .example = "postgres",
     .required = true,
     .choices = kSourceTypes},
    {.name = "connection",
     .type = kName,
     .text = "Connection of leat.yaml to read through.",
     .example = "totesys",
     .required = true,
     .of_type = "postgres"},
    {.name = "schema",
     .text = "Schema whose tables are read.",
     .example = "public",
     .default_value = "public",
     .of_type = "postgres"},
    {.name = "base_url",
     .type = kTemplate,
     .text = "What the addresses of all requests begin with. Of private addresses only the host named here is asked.",
     .example = "https://{site}.chargebee.com/api/v2",
     .required = true,
     .of_type = "http"},
    {.name = "partitions",
     .type = kAny,
     .text = "One name for values that requests are made for each: a list of them, or a map from each to names of its "
             "own. The name is a column of every table, and part of its key.",
     .example = "{site: {acme-eu: {api_key: \"${EU_KEY}\"}, acme-us: {api_key: \"${US_KEY}\"}}}",
     .of_type = "http"},
    {.name = "auth",
     .type = kSection,
     .text = "How requests prove whose they are; sent to no other scheme, host or port.",
     .example = "{type: basic, user: \"{api_key}\"}",
     .section = &kAuthSection,
     .of_type = "http"},
    {.name = "rate_limit",
     .type = kSection,
     .text = "Limits of the requests of one partition, all streams together.",
     .example = "{requests: 150, per: 1m, concurrent: 4}",
     .section = &kRateLimitSection,
     .of_type = "http"},
    {.name = "retry",
     .type = kSection,
     .text = "What is tried again.",
     .example = "{attempts: 5, wait_max: 2m}",
     .section = &kRetrySection,
     .of_type = "http"},
    {.name = "timeout",
     .type = kDuration,
     .text = "The longest that one answer may take.",
     .example = "300s",
     .default_value = "60s",
     .of_type = "http"},
    {.name = "rename",
     .type = kName,
     .shape = kMap,
     .text = "Streams to call otherwise: the table's name to leat's.",
     .example = "{\"Orders\": orders_upper}"},
    {.name = "streams",
     .type = kSection,
     .shape = kMap,
     .text =
         "Tables of the database, by name or pattern; without it, every table of the schema. Of an API: its streams; "
         "a pattern is for those that are named.",
     .example = "{\"*\": {}}",
     .section = &kStreamSection,
     .key_type = kGlob,
     .nullable = true},
};

// --- models/, checks/, seeds/ ---

constexpr Field kRangeFields[] = {
    {.name = "min", .type = kScalar, .text = "Smallest value allowed.", .example = "0"},
    {.name = "max", .type = kScalar, .text = "Greatest value allowed.", .example = "100"},
};
constexpr Section kRangeSection{kRangeFields};

constexpr Field kRowsFields[] = {
    {.name = "min", .type = kInteger, .text = "Fewest rows allowed.", .example = "1", .min = 0, .max = INT64_MAX},
    {.name = "max", .type = kInteger, .text = "Most rows allowed.", .example = "1000", .min = 0, .max = INT64_MAX},
};
constexpr Section kRowsSection{kRowsFields};

constexpr Field kCheckRuleFields[] = {
    {.name = "not_null",
     .shape = kList,
     .text = "Columns of which none may be NULL.",
     .example = "[sales_order_id]",
     .single = true,
     .distinct = true},
    {.name = "unique",
     .shape = kList,
     .text = "Columns that together never repeat.",
     .example = "[order_id, line]",
     .single = true,
     .distinct = true},
    {.name = "accepted_values",
     .type = kScalar,
     .shape = kMapOfLists,
     .text = "The values a column may have.",
     .example = "{status: [new, paid]}"},
    {.name = "references",
     .type = kTable,
     .shape = kMap,
     .text = "The table that holds a column's value in its key.",
     .example = "{design_id: mart.dim_design}"},
    {.name = "range",
     .type = kSection,
     .shape = kMap,
     .text = "Limits of a column's values.",
     .example = "{units_sold: {min: 1}}",
     .section = &kRangeSection},
    {.name = "rows",
     .type = kSection,
     .text = "Limits of the number of rows.",
     .example = "{min: 1}",
     .section = &kRowsSection},
    {.name = "severity",
     .type = kChoice,
     .text = "What a broken rule does.",
     .example = "warn",
     .default_value = "error",
     .choices = kRuleSeverities},
    {.name = "where", .text = "SQL condition: the rule is about these rows only.", .example = "\"paid\""},
};
constexpr Section kCheckRuleSection{kCheckRuleFields};

constexpr Field kModelWarehouseFields[] = {
    {.name = "table", .text = "Name in the warehouse; without it, the model's own.", .example = "sales"},
    {.name = "rename",
     .shape = kMap,
     .text = "Columns to call otherwise in the warehouse.",
     .example = "{id: order_id}"},
    {.name = "types",
     .type = kSqlType,
     .shape = kMap,
     .text = "Types of columns in the warehouse.",
     .example = "{unit_price: \"numeric(10,2)\"}"},
};
constexpr Section kModelWarehouseSection{kModelWarehouseFields};

constexpr Field kTableFields[] = {
    {.name = "checks",
     .type = kSection,
     .shape = kList,
     .text = "Rules about its rows.",
     .example = "[not_null: [sales_order_id]]",
     .section = &kCheckRuleSection},
    {.name = "warehouse",
     .type = kSection,
     .text = "How it is loaded into the warehouse; false: not at all.",
     .example = "{types: {unit_price: \"numeric(10,2)\"}}",
     .section = &kModelWarehouseSection,
     .or_false = true},
    {.name = "tags",
     .type = kName,
     .shape = kList,
     .text = "Words to select by.",
     .example = "[finance]",
     .single = true},
    {.name = "description", .text = "What a row is.", .example = "One row per order."},
    {.name = "owner", .text = "Who to ask.", .example = "sales-data"},
    {.name = "freshness",
     .type = kSection,
     .text = "How old its data may be; stands in place of leat.yaml's as a whole.",
     .example = "{warn_after: 1h, error_after: 2h}",
     .section = &kFreshnessSection,
     .nullable = true},
};
constexpr Section kTableSection{kTableFields};

constexpr Field kSqlModelFields[] = {
    {.name = "kind",
     .type = kChoice,
     .text = "table: rebuilt and replaced; incremental: rows whose `_leat_time`, not their own `updated_at`, is after "
             "`$since`, merged by key; history: one row per version; period: one month or day after the other; scd2: "
             "versions with valid_from, valid_to and "
             "is_current.",
     .example = "table",
     .default_value = "table",
     .choices = kSqlModelKinds},
    {.name = "key",
     .shape = kList,
     .text = "Columns that identify a row.",
     .example = "sales_order_id",
     .single = true,
     .distinct = true},
    {.name = "record_id",
     .type = kName,
     .text = "Column that numbers the versions of a history.",
     .example = "sales_record_id"},
    {.name = "keep_deleted",
     .type = kBoolean,
     .text = "Rows whose key vanished stay as last seen.",
     .example = "true",
     .default_value = "false"},
    {.name = "deletes",
     .type = kChoice,
     .text = "Whether a history keeps the versions that say a row was deleted.",
     .example = "keep",
     .default_value = "ignore",
     .choices = kDeletes},
    {.name = "period",
     .type = kChoice,
     .text = "How long the periods of a period model are: its SQL gives the rows from $period_start until before "
             "$period_end; without it, a month.",
     .example = "day",
     .choices = kPeriodLengths},
    {.name = "time",
     .text = "Output column that says which period a row belongs to; a period model needs it.",
     .example = "month"},
    {.name = "from",
     .type = kDate,
     .text = "A day of the first period; without it, the first day of which the streams that the model reads know.",
     .example = "2020-01-01"},
};

constexpr Field kGeneratedModelFields[] = {
    {.name = "kind",
     .type = kChoice,
     .text = "dim_date: one row per calendar day.",
     .example = "dim_date",
     .required = true,
     .choices = kGeneratedModelKinds},
    {.name = "key",
     .type = kName,
     .text = "Name of the column that holds the day.",
     .example = "date_id",
     .default_value = "date_id"},
    {.name = "from",
     .type = kDate,
     .text = "First day; without it, the first one that a model refers to.",
     .example = "2020-01-01"},
    {.name = "to",
     .type = kDate,
     .text = "Last day; without it, the last one that a model refers to.",
     .example = "2030-12-31"},
    {.name = "day_of_week",
     .type = kChoice,
     .text = "iso: Monday 1 to Sunday 7; sunday0: Sunday 0; monday0: Monday 0.",
     .example = "iso",
     .default_value = "iso",
     .choices = kDaysOfWeek},
};

constexpr Field kCheckQueryFields[] = {
    {.name = "severity",
     .type = kChoice,
     .text = "What a row it returns does.",
     .example = "warn",
     .default_value = "error",
     .choices = kQuerySeverities},
    {.name = "description",
     .text = "What holds as long as it returns no rows.",
     .example = "Every payment belongs to a transaction."},
    {.name = "tags",
     .type = kName,
     .shape = kList,
     .text = "Words to select by.",
     .example = "[finance]",
     .single = true},
};

constexpr Field kSeedColumnsFields[] = {
    {.name = "types",
     .type = kSqlType,
     .shape = kMap,
     .text = "DuckDB types of columns; the others are found out.",
     .example = "{numeric_code: VARCHAR}"},
};
constexpr Section kSeedColumnsSection{kSeedColumnsFields};
constexpr Field kSeedFields[] = {
    {.name = "columns",
     .type = kSection,
     .text = "What is known of the columns.",
     .example = "{types: {numeric_code: VARCHAR}}",
     .section = &kSeedColumnsSection},
};

// --- models/schema.yml, in dbt's shape ---

constexpr std::string_view kPeriods[] = {"minute", "hour", "day"};
constexpr std::string_view kExposureTypes[] = {"dashboard", "notebook", "analysis", "ml", "application"};
constexpr std::string_view kMaturities[] = {"high", "medium", "low"};

constexpr Field kDbtMetaFields[] = {
    {.name = "owner", .text = "Who to ask.", .example = "sales-data"},
};
constexpr Section kDbtMetaSection{.fields = kDbtMetaFields, .open = true};

constexpr Field kDbtMeta{.name = "meta",
                         .type = kSection,
                         .text = "What else is known; leat reads `owner`.",
                         .example = "{owner: sales-data}",
                         .section = &kDbtMetaSection};
constexpr Field kDbtTags{.name = "tags",
                         .type = kName,
                         .shape = kList,
                         .text = "Words to select by.",
                         .example = "[finance]",
                         .single = true};
constexpr Field kDbtDescription{
    .name = "description", .type = kScalar, .text = "What it is.", .example = "One row per order."};
constexpr Field kDbtSeverity{.name = "severity",
                             .type = kChoice,
                             .text = "What a broken rule does.",
                             .example = "warn",
                             .choices = kQuerySeverities};
constexpr Field kDbtWhere{
    .name = "where", .text = "SQL condition: the rule is about these rows only.", .example = "\"paid\""};

constexpr Field kDbtPeriodFields[] = {
    {.name = "count",
     .type = kInteger,
     .text = "How many periods.",
     .example = "20",
     .required = true,
     .min = 1,
     .max = 1'000'000},
    {.name = "period",
     .type = kChoice,
     .text = "How long one is.",
     .example = "minute",
     .required = true,
     .choices = kPeriods},
};
constexpr Section kDbtPeriodSection{kDbtPeriodFields};
constexpr Field kDbtFreshnessFields[] = {
    {.name = "warn_after",
     .type = kSection,
     .text = "Data that is older makes the table late.",
     .example = "{count: 20, period: minute}",
     .section = &kDbtPeriodSection},
    {.name = "error_after",
     .type = kSection,
     .text = "Data that is older makes `leat check` fail.",
     .example = "{count: 30, period: minute}",
     .section = &kDbtPeriodSection},
};
constexpr Section kDbtFreshnessSection{kDbtFreshnessFields};
constexpr Field kDbtFreshness{.name = "freshness",
                              .type = kSection,
                              .text = "How old its data may be; null: as old as it likes.",
                              .example = "{warn_after: {count: 20, period: minute}}",
                              .section = &kDbtFreshnessSection,
                              .nullable = true};
constexpr Field kDbtLoadedAtField{
    .name = "loaded_at_field",
    .text = "Column whose newest value says up to when there is data; a time without a zone counts as UTC.",
    .example = "last_updated"};

constexpr Field kDbtArgumentFields[] = {
    {.name = "values",
     .type = kScalar,
     .shape = kList,
     .text = "accepted_values: the values a column may have.",
     .example = "[new, paid]"},
    {.name = "quote",
     .type = kBoolean,
     .text = "accepted_values: without effect, since values are compared as the column's type.",
     .example = "false"},
    {.name = "to", .text = "relationships: the table that is referred to.", .example = "ref('dim_design')"},
    {.name = "field", .text = "relationships: the key of that table.", .example = "design_id"},
    {.name = "column_name", .text = "Of a test of the whole table: the column it is about.", .example = "design_id"},
};
constexpr Section kDbtArgumentSection{kDbtArgumentFields};
constexpr Field kDbtTestConfigFields[] = {kDbtSeverity, kDbtWhere, kDbtTags, kDbtMeta};
constexpr Section kDbtTestConfigSection{kDbtTestConfigFields};
constexpr Field kDbtTestValueFields[] = {
    {.name = "arguments",
     .type = kSection,
     .text = "Its values; they may stand beside it as well.",
     .example = "{values: [new, paid]}",
     .section = &kDbtArgumentSection},
    {.name = "config",
     .type = kSection,
     .text = "Severity and condition.",
     .example = "{severity: warn}",
     .section = &kDbtTestConfigSection},
    {.name = "name", .text = "A name of the author's own; without effect.", .example = "orders_have_designs"},
    kDbtDescription,
    kDbtSeverity,
    kDbtWhere,
};
constexpr Section kDbtTestValueSection{kDbtTestValueFields, &kDbtArgumentSection};

constexpr Field MakeDbtTest(std::string_view name, std::string_view text, std::string_view example) {
  return {.name = name,
          .type = kSection,
          .text = text,
          .example = example,
          .section = &kDbtTestValueSection,
          .nullable = true};
}
constexpr Field kDbtTestFields[] = {
    MakeDbtTest("not_null", "The column is never NULL.", "{config: {severity: warn}}"),
    MakeDbtTest("unique", "No value of the column repeats.", "{config: {severity: warn}}"),
    MakeDbtTest("accepted_values", "The values the column may have.", "{values: [new, paid]}"),
    MakeDbtTest("relationships", "The table whose key holds the column's values.",
                "{to: ref('dim_design'), field: design_id}"),
};

constexpr Field MakeDbtTests(std::string_view name) {
  return {.name = name,
          .type = kSection,
          .shape = kList,
          .text = "Rules about its rows.",
          .example = "[not_null]",
          .section = &kDbtTestSection,
          .key_alone = true};
}
constexpr Field kDbtTests = MakeDbtTests("tests");
constexpr Field kDbtDataTests = MakeDbtTests("data_tests");

constexpr Field kDbtConfigFields[] = {kDbtTags, kDbtMeta, kDbtFreshness};
constexpr Section kDbtConfigSection{kDbtConfigFields};
constexpr Field kDbtSourceConfigFields[] = {kDbtLoadedAtField};
constexpr Section kDbtSourceConfigSection{kDbtSourceConfigFields, &kDbtConfigSection};
constexpr Field MakeDbtConfig(const Section& section) {
  return {.name = "config",
          .type = kSection,
          .text = "Tags and more.",
          .example = "{tags: [finance], meta: {owner: sales-data}}",
          .section = &section};
}

constexpr Field kDbtColumnConfigFields[] = {kDbtTags, kDbtMeta};
constexpr Section kDbtColumnConfigSection{kDbtColumnConfigFields};
constexpr Field kDbtColumnFields[] = {
    {.name = "name", .text = "Name of the column.", .example = "design_id", .required = true},
    kDbtDescription,
    {.name = "data_type", .type = kSqlType, .text = "DuckDB type the column must have.", .example = "INTEGER"},
    kDbtTests,
    kDbtDataTests,
    kDbtTags,
    kDbtMeta,
    MakeDbtConfig(kDbtColumnConfigSection),
};
constexpr Section kDbtColumnSection{kDbtColumnFields};

constexpr Field kDbtTableFields[] = {
    {.name = "name", .text = "Name of the table.", .example = "fact_sales_order", .required = true},
    kDbtDescription,
    {.name = "columns",
     .type = kSection,
     .shape = kList,
     .text = "What is known of its columns.",
     .example = "[{name: design_id, data_tests: [not_null]}]",
     .section = &kDbtColumnSection},
    kDbtTests,
    kDbtDataTests,
    kDbtTags,
    kDbtMeta,
    kDbtFreshness,
    MakeDbtConfig(kDbtConfigSection),
};
constexpr Section kDbtTableSection{kDbtTableFields};

constexpr Field kDbtSourceTableFields[] = {
    {.name = "name", .text = "Name of the stream in leat.", .example = "payment", .required = true},
    kDbtLoadedAtField,
    MakeDbtConfig(kDbtSourceConfigSection),
};
constexpr Section kDbtSourceTableSection{kDbtSourceTableFields, &kDbtTableSection};

constexpr Field kDbtSourceFields[] = {
    {.name = "name", .text = "Name of the file in sources/.", .example = "totesys", .required = true},
    {.name = "tables",
     .type = kSection,
     .shape = kList,
     .text = "What is known of its streams.",
     .example = "[{name: payment}]",
     .section = &kDbtSourceTableSection},
    kDbtDescription,
    kDbtTags,
    kDbtMeta,
    kDbtFreshness,
    kDbtLoadedAtField,
    MakeDbtConfig(kDbtSourceConfigSection),
};
constexpr Section kDbtSourceSection{kDbtSourceFields};

constexpr Field kDbtOwnerFields[] = {
    {.name = "name", .text = "Who to ask.", .example = "sales-data"},
    {.name = "email", .text = "Where to ask.", .example = "data@acme.example"},
};
constexpr Section kDbtOwnerSection{.fields = kDbtOwnerFields, .open = true};
constexpr Field kDbtExposureFields[] = {
    {.name = "name", .text = "Name of the use.", .example = "weekly_report", .required = true},
    kDbtDescription,
    {.name = "label", .text = "The name for people.", .example = "Weekly report"},
    {.name = "type",
     .type = kChoice,
     .text = "What kind of use it is.",
     .example = "dashboard",
     .choices = kExposureTypes},
    {.name = "maturity",
     .type = kChoice,
     .text = "How much is to be expected of it.",
     .example = "high",
     .choices = kMaturities},
    {.name = "url", .text = "Where it is.", .example = "https://reports.acme.example/weekly"},
    {.name = "owner",
     .type = kSection,
     .text = "Who to ask.",
     .example = "{name: sales-data}",
     .section = &kDbtOwnerSection},
    {.name = "depends_on",
     .shape = kList,
     .text = "What it reads.",
     .example = "[ref('fact_sales_order')]",
     .single = true},
    kDbtTags,
    kDbtMeta,
    MakeDbtConfig(kDbtColumnConfigSection),
};
constexpr Section kDbtExposureSection{kDbtExposureFields};

constexpr Field kSchemaYmlFields[] = {
    {.name = "version", .type = kInteger, .text = "Of dbt's shape.", .example = "2", .min = 2, .max = 2},
    {.name = "models",
     .type = kSection,
     .shape = kList,
     .text = "What is known of models beside their heads, which win.",
     .example = "[{name: fact_sales_order, columns: [{name: design_id, data_tests: [not_null]}]}]",
     .section = &kDbtTableSection},
    {.name = "sources",
     .type = kSection,
     .shape = kList,
     .text = "What is known of streams.",
     .example = "[{name: totesys, tables: [{name: payment}]}]",
     .section = &kDbtSourceSection},
    {.name = "exposures",
     .type = kSection,
     .shape = kList,
     .text = "Who uses the tables outside of leat.",
     .example = "[{name: weekly_report, depends_on: [ref('fact_sales_order')]}]",
     .section = &kDbtExposureSection},
};

/// Names of fields, those of secrets apart.
struct NamesOfFields {
  std::vector<std::string> secret, others;
};

/// The names of all fields below a section, each section visited once.
void CollectNames(const Section& section, std::vector<const Section*>& seen, NamesOfFields& names) {
  if (std::find(seen.begin(), seen.end(), &section) != seen.end()) return;
  seen.push_back(&section);
  for (const Field* field : section.AllFields()) {
    const bool is_secret = field->type == kSecret || field->type == kCredential;
    (is_secret ? names.secret : names.others).emplace_back(field->name);
    if (field->section != nullptr) CollectNames(*field->section, seen, names);
  }
}

NamesOfFields AllNames() {
  std::vector<const Section*> seen;
  NamesOfFields names;
  CollectNames(kProjectSection, seen, names);
  CollectNames(kSourceSection, seen, names);
  return names;
}

bool Contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

const Section kProjectSection{kNameField, &kAfterNameSection};
const Section kTargetSection{.fields = kTargetFields, .overlay = true};
const Section kSourceSection{kSourceFields, &kStreamSection};
const Section kStreamSection{kStreamFields};
const Section kSqlModelSection{kSqlModelFields, &kTableSection};
const Section kGeneratedModelSection{kGeneratedModelFields, &kTableSection};
const Section kCheckQuerySection{kCheckQueryFields};
const Section kSeedSection{kSeedFields};
const Section kSchemaYmlSection{kSchemaYmlFields};
const Section kDbtTestSection{kDbtTestFields};

std::span<const FileKind> FileKinds() {
  static const FileKind kKinds[] = {
      {"project", "leat.yaml", "The one file that every project has: where things are and what a run may take.",
       &kProjectSection},
      {"source", "sources/*.yaml",
       "A place that rows come from. The file's name is the namespace, a stream's name the table. Every key of a "
       "stream but `rename` may also stand at the top of the file and is then the default of all its streams.",
       &kSourceSection},
      {"sql_model", "models/*/*.sql",
       "The head of a model, between `/* ---` and `--- */` at the start of its file. The folder is the namespace, the "
       "file's name the table.",
       &kSqlModelSection},
      {"model", "models/*/*.yaml", "A table that leat makes by itself.", &kGeneratedModelSection},
      {"check", "checks/*.sql",
       "The head of a query that must return no rows, between `/* ---` and `--- */` at the start of its file.",
       &kCheckQuerySection},
      {"seed", "seeds/*.yaml", "What is to be known of the columns of seeds/NAME.csv.", &kSeedSection},
      {"schema_yml", "models/**/schema.yml",
       "Descriptions, rules and promises about models and streams in dbt's shape; also files named _*.yml.",
       &kSchemaYmlSection},
  };
  return kKinds;
}

std::vector<const Field*> Section::AllFields() const {
  std::vector<const Field*> all;
  for (const Field& field : fields) all.push_back(&field);
  if (also == nullptr) return all;
  for (const Field* field : also->AllFields())
    if (Find(field->name) == field) all.push_back(field);
  return all;
}

const Field* Section::Find(std::string_view name) const {
  const auto found = std::find_if(fields.begin(), fields.end(), [&](const Field& field) { return field.name == name; });
  if (found != fields.end()) return &*found;
  return also == nullptr ? nullptr : also->Find(name);
}

bool NamesSecret(std::string_view key) {
  static const NamesOfFields kNames = AllNames();
  if (Contains(kNames.secret, key)) return true;
  // `values` is a field of its own, and no slip for `value`.
  return !Contains(kNames.others, key) && (!NearestNames(key, kNames.secret).empty() || SendsSecret(key));
}

bool SendsSecret(std::string_view name) {
  std::string plain = ToLower(name);
  std::replace(plain.begin(), plain.end(), '-', '_');
  if (plain == "token") return true;
  for (const std::string_view ending :
       {"authorization", "api_key", "apikey", "access_token", "auth_token", "client_secret", "password"})
    if (plain.ends_with(ending)) return true;
  return false;
}

}  // namespace leat::config
