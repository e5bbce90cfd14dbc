#pragma once

#include <string>
#include <vector>

#include "duck/database.h"
#include "models/builder.h"
#include "models/check_rules.h"

namespace leat::models {

/// Rows that rules are judged on.
struct JudgedRows {
  std::string scope;  ///< behind FROM: the rows that row-wise rules and the keys of `unique` come from
  std::string all;    ///< behind FROM: the whole table as it will be
};

/// Runs a model's rules over rows that are not published yet.
class CheckRun {
 public:
  /// `key`: columns by which offending rows are shown; `look_at`: a table that `help` suggests to look at, may be
  /// empty.
  CheckRun(duck::Connection& connection, const config::Model& model, std::vector<std::string> key, std::string look_at,
           std::vector<duck::Parameter> parameters)
      : connection_(connection),
        model_(model),
        key_(std::move(key)),
        look_at_(std::move(look_at)),
        parameters_(std::move(parameters)) {}

  /// Judge row-wise rules over `rows` in one pass.
  std::vector<CheckOutcome> JudgeRows(const std::vector<const RowRule*>& rules, const std::string& rows);
  /// Judge a rule over the values that `rows.scope` brings into `rows.all`.
  CheckOutcome JudgeUnique(const UniqueRule& rule, const JudgedRows& rows);
  CheckOutcome JudgeCount(const CountRule& rule, const std::string& all);

  /// Check what a key promises: no NULL in it, no two rows with the same. Throws: Error(kData, LEAT0708) showing up to
  /// three. `beside`: further columns that may tell two rows of one key apart.
  void RequireKey(const std::string& rows, const std::vector<std::string>& beside = {});

 private:
  CheckOutcome Failed(const std::string& rule, const std::string& code, config::CheckSeverity severity,
                      const Place& place, int64_t failing, const std::string& what);
  std::vector<std::string> Samples(const std::string& rows, const std::vector<std::string>& columns,
                                   const std::string& condition);

  duck::Connection& connection_;
  const config::Model& model_;
  std::vector<std::string> key_;
  std::string look_at_;
  std::vector<duck::Parameter> parameters_;
};

/// SQL condition on a row `r` that breaks one of `rules`.
std::string AnyBroken(const std::vector<const RowRule*>& rules);
/// SQL text naming the rules that row `r` breaks: `not_null(payment_date)`.
std::string ReasonsSql(const std::vector<const RowRule*>& rules);

}  // namespace leat::models
