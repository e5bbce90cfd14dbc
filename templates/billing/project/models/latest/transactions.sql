/* ---
description: Payments and refunds as they are now, their amounts in EUR as well.
key: [site, id]
warehouse: {table: latest_transactions}
checks:
  - not_null: [amount_eur]
    severity: warn
    where: "amount <> 0"
--- */
SELECT
  t.*,
  in_eur(t.amount, r.digits, r.rate) AS amount_eur,
  r.rate AS eur_rate,
  r.rate_date AS eur_rate_date
FROM billing.transactions t
LEFT JOIN rates_on(local_date($run_time)) r ON r.currency = t.currency_code
