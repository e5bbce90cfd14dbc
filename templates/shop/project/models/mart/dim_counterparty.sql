/* ---
description: Who we sell to and buy from, with their legal address. One row per counterparty, as it is now.
key: counterparty_id
keep_deleted: true          # facts still name those that are gone
checks:
  - unique: [counterparty_id]
  - not_null: [counterparty_id, counterparty_legal_name, counterparty_legal_address_line_1, counterparty_legal_city,
               counterparty_legal_postal_code, counterparty_legal_country, counterparty_legal_phone_number]
--- */
SELECT
  c.counterparty_id,
  c.counterparty_legal_name,
  a.address_line_1 AS counterparty_legal_address_line_1,
  a.address_line_2 AS counterparty_legal_address_line_2,
  a.district       AS counterparty_legal_district,
  a.city           AS counterparty_legal_city,
  a.postal_code    AS counterparty_legal_postal_code,
  a.country        AS counterparty_legal_country,
  a.phone          AS counterparty_legal_phone_number
FROM totesys.counterparty c
JOIN totesys.address a ON a.address_id = c.legal_address_id
