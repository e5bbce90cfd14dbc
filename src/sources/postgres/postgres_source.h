#pragma once

#include <memory>

#include "sources/source.h"

namespace leat::sources {

/// A PostgreSQL database, read in full at every run: all tables and connections share one exported snapshot. Of a table
/// with a key the rows that changed become versions 'u' and vanished keys versions 'd'; one without a key is replaced.
std::unique_ptr<Source> OpenPostgresSource(const config::Project& project, const config::Source& source,
                                           const CancelFlag& cancel);

}  // namespace leat::sources
