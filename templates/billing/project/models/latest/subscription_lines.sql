/* ---
description: What subscriptions consist of now, plan and addons on sites that have plans, items on the others.
key: [site, subscriptions_id, line]
warehouse: {table: latest_subscription_lines}
checks:
  - not_null: [amount_eur]
    severity: warn
    where: "amount <> 0"
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
  FROM billing.subscriptions s
  WHERE s.plan_id IS NOT NULL
  UNION ALL
  SELECT a.site, a.subscriptions_id, a.position, 'addon', a.id, a.quantity, a.unit_price, a.amount, s.currency_code
  FROM billing.subscriptions__addons a
  JOIN billing.subscriptions s ON s.site = a.site AND s.id = a.subscriptions_id
  UNION ALL
  SELECT i.site, i.subscriptions_id, i.position, i.item_type, i.item_price_id, i.quantity, i.unit_price, i.amount, s.currency_code
  FROM billing.subscriptions__subscription_items i
  JOIN billing.subscriptions s ON s.site = i.site AND s.id = i.subscriptions_id
)
SELECT
  l.*,
  in_eur(l.amount, r.digits, r.rate) AS amount_eur,
  r.rate AS eur_rate,
  r.rate_date AS eur_rate_date
FROM lines l
ANTI JOIN deleted_subscriptions(TIMESTAMPTZ 'infinity') d ON d.site = l.site AND d.id = l.subscriptions_id
LEFT JOIN rates_on(local_date($run_time)) r ON r.currency = l.currency_code
