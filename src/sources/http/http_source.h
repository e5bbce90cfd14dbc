#pragma once

#include <memory>

#include "sources/source.h"

namespace leat::sources {

/// An HTTP API whose answers hold records.
std::unique_ptr<Source> OpenHttpSource(const config::Project& project, const config::Source& source,
                                       const CancelFlag& cancel);

}  // namespace leat::sources
