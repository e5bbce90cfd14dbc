#pragma once

#include <optional>
#include <string>

namespace leat::lake::iceberg {

/// How the files of a table, or of some of its manifests, are parted.
struct PartitionSpec {
  int id = 0;
  std::string fields = "[]";         ///< JSON, as the metadata has them
  std::optional<int> superseded_id;  ///< id of the one field, identity of `_leat_superseded`; nothing: parted
                                     ///< otherwise, or not at all
};

}  // namespace leat::lake::iceberg
