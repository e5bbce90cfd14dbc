#pragma once

#include <map>
#include <optional>
#include <string>

#include "config/project.h"
#include "core/cancel.h"
#include "warehouse/warehouse.h"

namespace leat::pipeline {

/// Keeps loads out of what the sources read: a warehouse inside its own source would be read as one at the next run,
/// and grow by itself.
class LoadGuard {
 public:
  LoadGuard(const config::Project& project, const CancelFlag& cancel) : project_(project), cancel_(cancel) {}

  /// Refuse a schema that a source reads. The sources are asked once, at the first call.
  /// Throws: Error(kConfig, LEAT0612).
  void Check(const warehouse::Identity& target);

 private:
  std::map<std::string, warehouse::Identity> PlacesRead() const;

  const config::Project& project_;
  const CancelFlag& cancel_;
  std::optional<std::map<std::string, warehouse::Identity>> places_read_;  ///< by source
};

}  // namespace leat::pipeline
