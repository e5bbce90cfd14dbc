/* ---
description: One row for each currency and working day, 1 EUR = rate × currency; EUR itself is 1.
key: [rate_date, currency]
checks:
  - not_null: [rate]
  - range: {rate: {min: 0.000001}}
--- */
WITH quoted AS (
  SELECT "date" AS rate_date, COLUMNS('^[a-z]{3}$')::DECIMAL(18,6)     -- a comma too many makes a nameless column
  FROM ecb.rates
)
SELECT rate_date, upper(currency) AS currency, rate
FROM quoted UNPIVOT (rate FOR currency IN (COLUMNS(* EXCLUDE (rate_date))))
UNION ALL
SELECT rate_date, 'EUR', CAST(1 AS DECIMAL(18,6))
FROM quoted
