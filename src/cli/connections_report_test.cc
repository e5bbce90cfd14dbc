#include "cli/connections_report.h"

#include <gtest/gtest.h>

#include "cli/terminal_fixture.h"

namespace leat::cli {
namespace {

using pipeline::ConnectionTest;
using pipeline::ConnectionView;
using pipeline::Discovery;
using std::chrono::microseconds;

const std::vector<ConnectionView> kViews = {
    {.name = "crm",
     .type = "postgres",
     .users = {"source crm", "warehouse"},
     .values = {{"host", "db.internal", "leat.yaml:3:31"}, {"port", "5432", "default"}},
     .password_origin = "~/.pgpass"},
    {.name = "spare",
     .type = "postgres",
     .values = {{"user", "zoe", "variable PGUSER"}},
     .looked_in = {"A (not set)", "B (absent)"}}};

TEST(ConnectionsReportTest, ListsEveryValueWithItsPlace) {
  EXPECT_EQ(FormatConnections(kViews, kPipe),
            "  CONNECTION  SETTING   VALUE                  FROM\n"
            "  crm         host      db.internal            leat.yaml:3:31\n"
            "              port      5432                   default\n"
            "              password  (hidden)               ~/.pgpass\n"
            "              used by   source crm, warehouse  –\n"
            "  spare       user      zoe                    variable PGUSER\n"
            "              password  none                   –                looked in A (not set) · B (absent)\n"
            "              used by   nothing                –\n"
            "Whether they answer:  leat connections test\n");
  EXPECT_EQ(FormatConnections({}, kPipe), "no connections: add them to  connections:  in leat.yaml\n");
}

TEST(ConnectionsReportTest, LeavesOutWhatANarrowTerminalHasNoRoomFor) {
  const std::vector<ConnectionTest> tests = {{.name = "crm",
                                              .type = "postgres",
                                              .users = {"source crm"},
                                              .reached = true,
                                              .server = "PostgreSQL 15.4",
                                              .role = "reader",
                                              .database = "totesys",
                                              .tls = "TLSv1.3",
                                              .round_trip = microseconds(1234)},
                                             {.name = "far", .type = "postgres", .faults = {{.code = "LEAT0301"}}}};
  EXPECT_EQ(FormatConnectionTests(tests, kPipe),
            "     CONNECTION  STATE          SERVER           DATABASE  ROLE    TLS      ROUND TRIP  USED BY\n"
            "  ✓  crm         good           PostgreSQL 15.4  totesys   reader  TLSv1.3      1.2 ms  source crm\n"
            "  ✗  far         no connection  –                –         –       –                 –  nothing\n");
  EXPECT_EQ(FormatConnectionTests(tests, kNarrowAscii),
            "      CONNECTION  STATE          SERVER           ROUND TRIP\n"
            "  ok  crm         good           PostgreSQL 15.4      1.2 ms\n"
            "  x   far         no connection  -                         -\n");
}

TEST(ConnectionsReportTest, ShowsWhatADatabaseHolds) {
  Discovery discovery{.server = "PostgreSQL 15.4", .role = "reader", .database = "totesys", .tables = {}};
  EXPECT_EQ(FormatDiscovery("crm", discovery, kPipe),
            "crm · PostgreSQL 15.4 · database totesys as reader · 0 tables\n");
  discovery.tables.push_back({{.schema = "public",
                               .name = "staff",
                               .kind = "table",
                               .rows_estimate = 18402,
                               .size_bytes = 1'234'567,
                               .columns = {{"id", "integer", true}},
                               .key = {"id"},
                               .readable = true},
                              {"crm.staff"}});
  discovery.tables.push_back({{.schema = "public", .name = "pay", .kind = "view", .columns = {}, .key = {}}, {}});
  EXPECT_EQ(FormatDiscovery("crm", discovery, kPipe),
            "crm · PostgreSQL 15.4 · database totesys as reader · 2 tables\n"
            "  TABLE         KIND   COLUMNS    ROWS    SIZE  KEY  READ AS\n"
            "  public.staff  table        1  ~18402  1.2 MB  id   crm.staff\n"
            "  public.pay    view         0       –       –  –    –          reader lacks rights to read it\n");
}

}  // namespace
}  // namespace leat::cli
