/* ---
description: Item prices of the sites that have them, in EUR as well.
key: [site, id]
warehouse: {table: latest_item_prices}
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
FROM billing.item_prices t
LEFT JOIN rates_on(local_date($run_time)) r ON r.currency = t.currency_code
