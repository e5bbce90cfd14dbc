/* ---
description: Credit notes as they are now, their amounts in EUR as well.
key: [site, id]
warehouse: {table: latest_credit_notes}
checks:
  - not_null: [total_eur]
    severity: warn
    where: "total <> 0"
--- */
SELECT
  t.*,
  in_eur(t.total, r.digits, r.rate) AS total_eur,
  in_eur(t.amount_available, r.digits, r.rate) AS amount_available_eur,
  r.rate AS eur_rate,
  r.rate_date AS eur_rate_date
FROM billing.credit_notes t
LEFT JOIN rates_on(local_date($run_time)) r ON r.currency = t.currency_code
