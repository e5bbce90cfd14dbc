#include "duck/time_zone.h"

#include "duck/database.h"

namespace leat::duck {

std::vector<std::string> TimeZoneNames() {
  Database database({.threads = 1});
  return Connection(database).QueryTexts("SELECT name FROM pg_timezone_names() ORDER BY name");
}

}  // namespace leat::duck
