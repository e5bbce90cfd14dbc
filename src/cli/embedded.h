#pragma once

#include <string_view>
#include <vector>

namespace leat::cli {

/// A file that was built into the program; it lives as long as the program.
struct EmbeddedFile {
  std::string_view path;  ///< relative to the folder it came from: `models/mart/dim_staff.sql`
  std::string_view bytes;
};

/// What `leat init --template shop` writes (templates/shop/project), sorted by path.
std::vector<EmbeddedFile> ShopTemplateFiles();

/// What `leat init --template empty` writes (templates/empty/project), sorted by path.
std::vector<EmbeddedFile> EmptyTemplateFiles();

/// What `leat init --template billing` writes (templates/billing/project), sorted by path.
std::vector<EmbeddedFile> BillingTemplateFiles();

/// The pages of `leat explain` (docs/explain), sorted by path: `LEAT0101.md`.
std::vector<EmbeddedFile> ExplainPages();

}  // namespace leat::cli
