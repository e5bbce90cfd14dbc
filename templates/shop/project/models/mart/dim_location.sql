/* ---
description: Every address we know, whether an order was delivered there or not.
key: location_id
keep_deleted: true
checks:
  - unique: [location_id]
  - not_null: [location_id, address_line_1, city, postal_code, country, phone]
--- */
SELECT
  address_id AS location_id,
  address_line_1,
  address_line_2,
  district,
  city,
  postal_code,
  country,
  phone
FROM totesys.address
