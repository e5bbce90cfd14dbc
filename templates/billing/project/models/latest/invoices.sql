/* ---
description: Invoices as they are now, their amounts in EUR as well.
key: [site, id]
warehouse: {table: latest_invoices}
checks:
  - not_null: [total_eur]
    severity: warn
    where: "total <> 0"
--- */
SELECT
  t.*,
  in_eur(t.total, r.digits, r.rate) AS total_eur,
  in_eur(t.sub_total, r.digits, r.rate) AS sub_total_eur,
  in_eur(t.tax, r.digits, r.rate) AS tax_eur,
  in_eur(t.amount_paid, r.digits, r.rate) AS amount_paid_eur,
  in_eur(t.amount_due, r.digits, r.rate) AS amount_due_eur,
  r.rate AS eur_rate,
  r.rate_date AS eur_rate_date
FROM billing.invoices t
LEFT JOIN rates_on(local_date($run_time)) r ON r.currency = t.currency_code
