#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "sources/nested/nested_fixture.h"

namespace leat::sources {
namespace {

using Json = nlohmann::json;

/// Walks through records as they were sent and finds each of their values in the tables, by the paths that these keep.
///
///     EXPECT_EQ(Missing(record), "");
class RealRecordsTest : public NestedTest {
 protected:
  static std::string DataFolder() {
    const char* folder = std::getenv("LEAT_TEST_DATA");
    return std::string(folder != nullptr ? folder : LEAT_TEST_DATA_DEFAULT) + "/chargebee";
  }
  static bool IsAbsent() {
    if (std::filesystem::is_directory(DataFolder())) return false;
    const char* optional = std::getenv("LEAT_TEST_DATA_OPTIONAL");
    EXPECT_TRUE(optional != nullptr) << DataFolder() << " is absent; LEAT_TEST_DATA names the folder of real data";
    return true;
  }
  static std::vector<std::filesystem::path> FilesIn(const std::string& folder) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(DataFolder() + "/" + folder))
      files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
  }
  static std::string TextOf(const std::filesystem::path& file) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
  }

  /// `lines[2].tiers[1].price`: a path with the positions of a row in the lists on the way.
  std::string AddressOf(const Json& path, const std::vector<int64_t>& positions) const {
    std::string address;
    Json way = Json::array();
    size_t next = 0;
    for (const Json& name : path) {
      way.push_back(name);
      address += (address.empty() ? "" : ".") + name.get<std::string>();
      if (lists_.contains(way.dump())) address += fmt::format("[{}]", positions.at(next++));
    }
    return address;
  }

  /// Take down all cells of the stream's tables: record, address, value.
  void TakeDown() {
    cells_.clear();
    lists_.clear();
    for (const auto& [name, table] : tables_)
      if (const auto list = table.Property("leat.list")) lists_.insert(*list);
    for (const auto& [name, table] : tables_) {
      if (table.Property("leat.kind") == "rejects") continue;
      const bool is_child = table.Property("leat.kind") == "child";
      std::vector<std::string> select;
      const Json key = Json::parse(*table.Property("leat.key"));
      for (const Json& column : key)
        select.push_back(fmt::format("{}::VARCHAR", QuoteIdentifier(column.get<std::string>())));
      std::vector<const lake::Field*> fields;
      for (const lake::Field& field : table.schema().fields) {
        if (field.path.empty()) continue;
        fields.push_back(&field);
        select.push_back(fmt::format(fmt::runtime(field.source_type == "json" ? "{0}" : "to_json({0})::VARCHAR"),
                                     QuoteIdentifier(field.name)));
      }
      const std::string view =
          name.first + "." + name.second.substr(0, name.second.size() - std::string("__history").size());
      engine_.Bind({view});
      for (const auto& row :
           engine_.connection().QueryRows(fmt::format("SELECT {} FROM {}", Join(select, ", "), view))) {
        std::vector<int64_t> positions;
        for (size_t i = 1; is_child && i < key.size(); ++i) positions.push_back(std::stoll(row[i]));
        for (size_t i = 0; i < fields.size(); ++i)
          if (const std::string& value = row[key.size() + i]; !value.empty())
            cells_[row[0]][AddressOf(Json::parse(fields[i]->path), positions)] = Json::parse(value);
      }
    }
  }

  /// The first value of a record that is in no table, or in one as another; empty: there is none.
  std::string Missing(const Json& record) {
    ++records_found_;
    return Missing(record, "", cells_[record["id"].get<std::string>()]);
  }
  std::string Missing(const Json& value, const std::string& address, const std::map<std::string, Json>& cells) {
    if (value.is_null()) return "";
    if (const auto cell = cells.find(address); cell != cells.end()) {
      ++values_found_;
      return cell->second == value ? "" : fmt::format("{} is {}, not {}", address, cell->second.dump(), value.dump());
    }
    if (!value.is_structured()) return fmt::format("{} is not there: {}", address, value.dump());
    int64_t position = 0;
    for (const auto& [name, part] : value.items()) {
      const std::string place =
          value.is_array() ? fmt::format("{}[{}]", address, ++position) : (address.empty() ? "" : address + ".") + name;
      if (std::string missing = Missing(part, place, cells); !missing.empty()) return missing;
    }
    return "";
  }

  std::set<std::string> lists_;  ///< paths of those that are tables
  std::map<std::string, std::map<std::string, Json>> cells_;
  int records_found_ = 0, values_found_ = 0;
};

TEST_F(RealRecordsTest, EveryValueOfTheItemModelIsFoundAgain) {
  if (IsAbsent()) GTEST_SKIP() << "no real data";
  rule().http.format = config::RecordFormat::kJsonLines;
  rule().version = Name("resource_version");
  for (const std::filesystem::path& file : FilesIn("records-item-model")) {
    const std::string stream = file.stem().string();
    stream_.info.name = "billing." + stream;
    const std::string text = TextOf(file);
    EXPECT_EQ(Message(Read(text)), "no diagnostic") << stream;
    TakeDown();
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) EXPECT_EQ(Missing(Json::parse(line)), "") << stream;
    tables_.clear();
  }
  EXPECT_EQ(records_found_, 16);
  EXPECT_GT(values_found_, 300);
}

TEST_F(RealRecordsTest, EveryValueOfTheEventsIsFoundAgain) {
  if (IsAbsent()) GTEST_SKIP() << "no real data";
  const std::vector<std::filesystem::path> files = FilesIn("events-plan-model");
  std::vector<std::string> texts;
  for (const auto& file : files) texts.push_back(TextOf(file));
  const bool wrapped = Json::parse(texts[0]).contains("event");
  if (wrapped) rule().http.records.value = "$.event";
  const StreamOutcome outcome = ReadAll(texts);
  EXPECT_EQ(Message(outcome), "no diagnostic");
  TakeDown();
  std::map<std::string, Json> newest;
  for (const std::string& text : texts) {
    const Json event = wrapped ? Json::parse(text)["event"] : Json::parse(text);
    newest[event["id"].get<std::string>()] = event;
  }
  EXPECT_EQ(outcome.rows_written, static_cast<int64_t>(newest.size()));
  for (const auto& [id, event] : newest) EXPECT_EQ(Missing(event), "") << id;
  EXPECT_GT(values_found_, 2000);
}

}  // namespace
}  // namespace leat::sources
