/* ---
description: >-
  What became of the running subscriptions from one month's end to the next, as those two months were stored,
  by their value in EUR. So a changed exchange rate is a change too; the amounts beside it tell which it was.
  The first month of a site has none before it, and no rows here.
kind: period
time: month
key: [month, site, id]
warehouse: {table: monthly_change}
tags: [monthly]
checks:
  - accepted_values: {change: [new, churned, upgraded, downgraded, unchanged]}
  - not_null: [change]
    severity: warn
--- */
WITH before AS (
  SELECT *
  FROM monthly.subscriptions
  WHERE month = local_date($period_start) - INTERVAL 1 MONTH AND is_running(status)
),
after AS (
  SELECT *
  FROM monthly.subscriptions
  WHERE month = local_date($period_start) AND is_running(status)
)
SELECT
  local_date($period_start) AS month,
  coalesce(a.site, b.site) AS site,
  coalesce(a.id, b.id) AS id,
  b.currency_code AS currency_code_before,
  a.currency_code,
  b.amount AS amount_before,
  a.amount,
  b.amount_eur AS amount_eur_before,
  a.amount_eur,
  CASE
    WHEN b.id IS NULL THEN 'new'
    WHEN a.id IS NULL THEN 'churned'
    WHEN a.amount_eur > b.amount_eur THEN 'upgraded'
    WHEN a.amount_eur < b.amount_eur THEN 'downgraded'
    WHEN a.amount_eur = b.amount_eur THEN 'unchanged'
  END AS change                                          -- none where no rate says what one of the two is worth
FROM before b
FULL JOIN after a ON a.site = b.site AND a.id = b.id
JOIN first_months() f ON f.site = coalesce(a.site, b.site) AND f.first_month < local_date($period_start)
