/* ---
description: What each subscription consisted of when the month ended, in EUR by the rates of the day after.
kind: period
time: month
key: [month, site, subscriptions_id, line]
warehouse: {table: monthly_subscription_lines}
tags: [monthly]
--- */
WITH lines AS (
  SELECT
    s.site,
    s.id AS subscriptions_id,
    CAST(0 AS BIGINT) AS line,
    'plan' AS type,
    s.plan_id AS price_id,
    s.plan_quantity AS quantity,
    s.plan_unit_price AS unit_price,
    s.plan_amount AS amount,
    s.currency_code
  FROM billing.subscriptions__at($period_end - INTERVAL 1 MICROSECOND) s
  WHERE s.plan_id IS NOT NULL
  UNION ALL
  SELECT a.site, a.subscriptions_id, a.position, 'addon', a.id, a.quantity, a.unit_price, a.amount, s.currency_code
  FROM billing.subscriptions__addons__at($period_end - INTERVAL 1 MICROSECOND) a
  JOIN billing.subscriptions__at($period_end - INTERVAL 1 MICROSECOND) s ON s.site = a.site AND s.id = a.subscriptions_id
  UNION ALL
  SELECT i.site, i.subscriptions_id, i.position, i.item_type, i.item_price_id, i.quantity, i.unit_price, i.amount, s.currency_code
  FROM billing.subscriptions__subscription_items__at($period_end - INTERVAL 1 MICROSECOND) i
  JOIN billing.subscriptions__at($period_end - INTERVAL 1 MICROSECOND) s ON s.site = i.site AND s.id = i.subscriptions_id
)
SELECT
  local_date($period_start) AS month,
  l.*,
  in_eur(l.amount, r.digits, r.rate) AS amount_eur,
  r.rate AS eur_rate,
  r.rate_date AS eur_rate_date
FROM lines l
ANTI JOIN deleted_subscriptions($period_end) d ON d.site = l.site AND d.id = l.subscriptions_id
JOIN first_months() f ON f.site = l.site AND f.first_month <= local_date($period_start)
LEFT JOIN rates_on(local_date($period_end)) r ON r.currency = l.currency_code
