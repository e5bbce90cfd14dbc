#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lake/table.h"

namespace leat::lake {

/// A lake in a folder that vanishes with the test, and a table `mart.t` in it.
class LakeTest : public testing::Test {
 protected:
  LakeTest() {
    std::string pattern = testing::TempDir() + "leat-lake-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    storage_ = OpenLocalStorage(folder_);
  }
  ~LakeTest() override { std::filesystem::remove_all(folder_); }

  TableWriter writer() const { return TableWriter(*storage_, clock_); }

  std::vector<DataFile> Write(const std::string& select, const Schema& schema) {
    return writer().WriteRows(connection_, kLocation, schema, select);
  }

  /// Make the next version of the table, with its columns as `select` has them.
  void Change(const std::string& select, TableChange change = {}) {
    const Schema wanted = SchemaOf(connection_.Describe(select));
    change.schema = table_ ? Evolve(table_->schema(), wanted, table_->last_column_id()).schema : wanted;
    change.added = Write(select, change.schema);
    Apply(change);
  }
  void Replace(const std::string& select) { Change(select, {.replace_all = true}); }
  void Apply(const TableChange& change) {
    clock_.Advance(std::chrono::seconds(1));
    table_ = writer().Apply(table_, kName, kLocation, change);
  }

  /// The table as another process would find it.
  Table Reopened() const { return Table::Load(*storage_, kName, table_->metadata_location()); }

  /// All rows of `files`, as text, in the order of their first column.
  std::vector<std::string> Rows(const Schema& schema, const std::vector<DataFile>& files) {
    return connection_.QueryTexts("SELECT CAST(t AS VARCHAR) FROM " + ReadFilesSql(*storage_, schema, files) +
                                  " t ORDER BY 1");
  }
  std::vector<std::string> Rows() { return Rows(Reopened().schema(), Reopened().files()); }

  static inline const state::TableName kName = {"mart", "t"};
  static constexpr const char* kLocation = "processed/mart/t";

  std::string folder_;
  std::unique_ptr<Storage> storage_;
  duck::Database database_{{.threads = 2}};
  duck::Connection connection_{database_};
  FakeClock clock_{Timestamp(std::chrono::seconds(1700000000))};
  std::optional<Table> table_;
};

}  // namespace leat::lake
