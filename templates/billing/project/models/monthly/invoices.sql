/* ---
description: The invoices of the month as they stood when it ended, in EUR by the rates of the day after.
kind: period
time: month
key: [month, site, id]
warehouse: {table: monthly_invoices}
tags: [monthly]
checks:
  - not_null: [total_eur]
    severity: warn
    where: "total <> 0"
--- */
SELECT
  CAST($period_start AS DATE) AS month,
  i.site,
  i.id,
  i.customer_id,
  i.subscription_id,
  i.status,
  i."date",
  i.currency_code,
  i.total,
  in_eur(i.total, r.digits, r.rate) AS total_eur,
  i.amount_due,
  in_eur(i.amount_due, r.digits, r.rate) AS amount_due_eur,
  r.rate AS eur_rate,
  r.rate_date AS eur_rate_date
FROM billing.invoices__at($period_end - INTERVAL 1 MICROSECOND) i
LEFT JOIN rates_on(CAST($period_end AS DATE)) r ON r.currency = i.currency_code
WHERE i."date" >= $period_start AND i."date" < $period_end
