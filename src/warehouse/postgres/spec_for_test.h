#pragma once

#include "warehouse/warehouse.h"

namespace leat::warehouse {

/// Specs of a little star, for tests: a dimension that a fact references.
inline TableSpec StaffSpec() {
  return {.model = "mart.dim_staff",
          .place = {.file = "models/mart/dim_staff.sql", .line = 1},
          .schema = "public",
          .table = "dim_staff",
          .columns = {{.name = "staff_id", .source = "staff_id", .duck_type = "INTEGER"},
                      {.name = "first_name", .source = "first_name", .duck_type = "VARCHAR", .not_null = true},
                      {.name = "pay", .source = "pay", .duck_type = "DECIMAL(10,2)"}},
          .primary_key = {"staff_id"}};
}

inline TableSpec SalesSpec() {
  return {.model = "mart.fact_sales",
          .place = {.file = "models/mart/fact_sales.sql", .line = 1},
          .schema = "public",
          .table = "fact_sales",
          .columns = {{.name = "sales_record_id", .source = "sales_record_id", .duck_type = "BIGINT"},
                      {.name = "staff_id", .source = "staff_id", .duck_type = "INTEGER", .not_null = true},
                      {.name = "sold_at", .source = "sold_at", .duck_type = "TIME"}},
          .primary_key = {"sales_record_id"},
          .append_only = true,
          .foreign_keys = {{.column = "staff_id", .referenced_table = "dim_staff", .referenced_column = "staff_id"}}};
}

}  // namespace leat::warehouse
