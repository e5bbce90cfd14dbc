/* ---
description: Plans of the sites that have them, with the price in EUR.
key: [site, id]
warehouse: {table: latest_plans}
checks:
  - not_null: [price_eur]
    severity: warn
    where: "price <> 0"
--- */
SELECT
  t.*,
  in_eur(t.price, r.digits, r.rate) AS price_eur,
  r.rate AS eur_rate,
  r.rate_date AS eur_rate_date
FROM billing.plans t
LEFT JOIN deleted_by_event('plan') gone ON gone.site = t.site AND gone.id = t.id AND gone.deleted_at >= t.updated_at
LEFT JOIN rates_on(local_date($run_time)) r ON r.currency = t.currency_code
WHERE gone.id IS NULL
