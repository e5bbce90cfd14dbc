#include <gtest/gtest.h>

#include "models/model_fixture.h"
#include "models/periods.h"

namespace leat::models {
namespace {

class PeriodTest : public ModelsTest {
 protected:
  PeriodTest() {
    Stream("shop.sale", "id INTEGER, at TIMESTAMP, price INTEGER", {"id"});
    File("sources/shop.yaml", "type: postgres\nconnection: db\nstreams:\n  \"*\": {}\n");
    Zone("UTC");
  }

  void Zone(const std::string& zone) {
    File("leat.yaml", "name: shop\ntimezone: " + zone +
                          "\nconnections:\n  db: {type: postgres, host: localhost, database: totesys, user: reader}\n");
  }
  void Monthly(const std::string& head = "from: 2024-01-15\n",
               const std::string& select = "SELECT CAST($period_start AS DATE) AS month, sum(price) AS price FROM "
                                           "shop.sale WHERE at >= $period_start AND at < $period_end GROUP BY ALL") {
    Model("mart/monthly.sql", "/* ---\nkind: period\ntime: month\n" + head + "--- */\n" + select);
  }
  /// Data files of a table, by their smallest month.
  std::vector<std::string> Files(const std::string& table = "mart.monthly") {
    std::vector<std::string> paths;
    for (const lake::DataFile& file : committed_.at(Split2(table)).files()) paths.push_back(file.path);
    std::ranges::sort(paths);
    return paths;
  }
  size_t NewFiles(const std::vector<std::string>& before) {
    std::vector<std::string> added;
    std::ranges::set_difference(Files(), before, std::back_inserter(added));
    return added.size();
  }
};

TEST_F(PeriodTest, BuildsEachPeriodThatEndedIntoAFileOfItsOwn) {
  Commit("shop.sale",
         "(1, TIMESTAMP '2024-01-05 10:00', 1, 'u'), (2, TIMESTAMP '2024-01-31 23:59:59', 2, 'u'), "
         "(3, TIMESTAMP '2024-02-01', 4, 'u'), (4, TIMESTAMP '2024-11-20', 8, 'u')");
  Monthly();
  EXPECT_EQ(Run(), "mart.monthly built 2\n");
  EXPECT_EQ(Rows("mart.monthly"), "2024-01-01|3\n2024-02-01|4\n");
  EXPECT_EQ(Files().size(), 2u);
  EXPECT_EQ(Run(), "mart.monthly unchanged\n");
}

}  // namespace
}  // namespace leat::models
