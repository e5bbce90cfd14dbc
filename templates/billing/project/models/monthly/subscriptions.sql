/* ---
description: >-
  Each subscription as it stood when the month ended, and what it brought then, in EUR by the rates of the
  day after. One that had been deleted by then is not here. Begins with the month before the site's first read.
kind: period
time: month
key: [month, site, id]
warehouse: {table: monthly_subscriptions}
tags: [monthly]
checks:
  - not_null: [amount_eur]
    severity: warn
    where: "amount <> 0"
--- */
WITH paid AS (
  SELECT site, subscriptions_id AS id, sum(amount) AS amount
  FROM monthly.subscription_lines
  WHERE month = local_date($period_start)
  GROUP BY ALL
)
SELECT
  local_date($period_start) AS month,
  s.site,
  s.id,
  s.customer_id,
  s.status,
  s.created_at,
  s.updated_at,
  s.currency_code,
  CAST(coalesce(p.amount, 0) AS BIGINT) AS amount,
  in_eur(coalesce(p.amount, 0), r.digits, r.rate) AS amount_eur,
  r.rate AS eur_rate,
  r.rate_date AS eur_rate_date
FROM billing.subscriptions__at($period_end - INTERVAL 1 MICROSECOND) s
ANTI JOIN deleted_subscriptions($period_end) d ON d.site = s.site AND d.id = s.id
JOIN first_months() f ON f.site = s.site AND f.first_month <= local_date($period_start)
LEFT JOIN paid p ON p.site = s.site AND p.id = s.id
LEFT JOIN rates_on(local_date($period_end)) r ON r.currency = s.currency_code
