/* ---
description: Every currency code is one of ISO 4217. An unknown one is shown by its code.
severity: warn
--- */
SELECT currency_id, currency_code
FROM mart.dim_currency
ANTI JOIN seeds.iso_4217 ON alphabetic_code = currency_code
