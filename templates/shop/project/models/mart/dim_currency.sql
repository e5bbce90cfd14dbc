/* ---
description: The currencies we trade in, named as ISO 4217 names them.
key: currency_id
keep_deleted: true
checks:
  - unique: [currency_id]
  - not_null: [currency_id, currency_code, currency_name]
--- */
SELECT
  c.currency_id,
  c.currency_code,
  -- A code that ISO does not know is its own name; checks/currency_is_known_to_iso.sql warns.
  coalesce(iso.currency_name, c.currency_code) AS currency_name
FROM totesys.currency c
LEFT JOIN seeds.iso_4217 iso ON iso.alphabetic_code = c.currency_code
