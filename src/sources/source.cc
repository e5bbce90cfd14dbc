#include "sources/source.h"

#include <algorithm>

#include "sources/http/http_source.h"
#include "sources/postgres/postgres_source.h"

namespace leat::sources {

namespace {

/// The kinds of sources; their fields are declared in `config/`.
constexpr struct {
  const char* type;
  std::unique_ptr<Source> (*open)(const config::Project&, const config::Source&, const CancelFlag&);
} kSourceKinds[] = {
    {"http", &OpenHttpSource},
    {"postgres", &OpenPostgresSource},
};

}  // namespace

state::TableName StreamInfo::table() const { return engine::ParseName(name + std::string(engine::kHistorySuffix)); }

std::string StreamInfo::location() const {
  const auto [source, stream] = engine::ParseName(name);
  return "raw/" + source + "/" + stream;
}

const std::vector<duck::Column>& VersionColumns() {
  static const std::vector<duck::Column> kColumns = {{"_leat_op", "VARCHAR"},
                                                     {"_leat_seq", "BIGINT"},
                                                     {"_leat_time", "TIMESTAMP WITH TIME ZONE"},
                                                     {"_leat_run", "BIGINT"}};
  return kColumns;
}

std::vector<const lake::PendingTable*> StreamOutcome::Tables() const {
  std::vector<const lake::PendingTable*> tables;
  if (pending) tables.push_back(&*pending);
  for (const lake::PendingTable& other : others) tables.push_back(&other);
  return tables;
}

std::optional<lake::Table> ReadContext::Published(const StreamInfo& stream) const {
  const auto found = tables.find(stream.table());
  if (found == tables.end()) return std::nullopt;
  return found->second;
}

std::unique_ptr<Source> OpenSource(const config::Project& project, const config::Source& source,
                                   const CancelFlag& cancel) {
  const auto kind = std::find_if(std::begin(kSourceKinds), std::end(kSourceKinds),
                                 [&](const auto& known) { return source.type == known.type; });
  return kind->open(project, source, cancel);
}

}  // namespace leat::sources
