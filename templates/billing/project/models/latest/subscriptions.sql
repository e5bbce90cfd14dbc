/* ---
description: >-
  Subscriptions as they are now, with what they bring in each of their terms. One that was deleted in any
  version is not here, even if its id came back.
key: [site, id]
warehouse: {table: latest_subscriptions}
checks:
  - not_null: [amount_eur]
    severity: warn
    where: "amount <> 0"
--- */
WITH paid AS (
  SELECT site, subscriptions_id AS id, sum(amount) AS amount
  FROM latest.subscription_lines
  GROUP BY ALL
)
SELECT
  s.*,
  CAST(coalesce(p.amount, 0) AS BIGINT) AS amount,
  in_eur(coalesce(p.amount, 0), r.digits, r.rate) AS amount_eur,
  in_eur(s.mrr, r.digits, r.rate) AS mrr_eur,
  r.rate AS eur_rate,
  r.rate_date AS eur_rate_date
FROM billing.subscriptions s
ANTI JOIN deleted_subscriptions(TIMESTAMPTZ 'infinity') d ON d.site = s.site AND d.id = s.id
LEFT JOIN paid p ON p.site = s.site AND p.id = s.id
LEFT JOIN rates_on(local_date($run_time)) r ON r.currency = s.currency_code
