#pragma once

#include <cstdint>

#include "clients/http/message.h"

namespace leat::sources {

/// Where an answer is a file that packs another, a zip archive of one file or a gzip file, put what is in it into the
/// answer's body. Any other body stays as it is.
/// \param bytes_max  of what is in it
/// Throws: Error(kData, LEAT0440) for an archive that is damaged or does not hold exactly one file;
/// Error(kConnection, LEAT0325) for packed bytes that are damaged; Error(kData, LEAT0324) over the limit.
void UnpackFile(http::Response& response, int64_t bytes_max);

}  // namespace leat::sources
