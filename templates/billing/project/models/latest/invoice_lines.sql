/* ---
description: The lines of the invoices as they are now, their amounts in EUR as well.
key: [site, invoices_id, position]
warehouse: {table: latest_invoice_lines}
checks:
  - not_null: [amount_eur]
    severity: warn
    where: "amount <> 0"
--- */
SELECT
  t.*,
  i.currency_code,
  in_eur(t.amount, r.digits, r.rate) AS amount_eur,
  r.rate AS eur_rate,
  r.rate_date AS eur_rate_date
FROM billing.invoices__line_items t
JOIN billing.invoices i ON i.site = t.site AND i.id = t.invoices_id
LEFT JOIN rates_on(local_date($run_time)) r ON r.currency = i.currency_code
