/* ---
description: >-
  The invoices of the month as they stood when it ended, in EUR by the rates of the day after. One that was first
  seen in a version of later, since it was paid meanwhile or written for a day of the past, is here as it was then.
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
WITH standing AS (
  SELECT *
  FROM billing.invoices__at($period_end - INTERVAL 1 MICROSECOND)
  WHERE "date" >= $period_start AND "date" < $period_end
),
seen_later AS (
  SELECT h.*
  FROM billing.invoices__history h
  ANTI JOIN standing s ON s.site = h.site AND s.id = h.id
  WHERE h."date" >= $period_start AND h."date" < $period_end
    AND h.updated_at >= $period_end
    AND h._leat_op <> 'd'
  QUALIFY row_number() OVER (PARTITION BY h.site, h.id ORDER BY h.resource_version, h._leat_seq) = 1
),
invoices AS (
  FROM standing
  UNION ALL BY NAME
  SELECT * EXCLUDE (_leat_op, _leat_seq, _leat_time, _leat_run)
  FROM seen_later
)
SELECT
  local_date($period_start) AS month,
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
FROM invoices i
JOIN first_months() f ON f.site = i.site AND f.first_month <= local_date($period_start)
LEFT JOIN rates_on(local_date($period_end)) r ON r.currency = i.currency_code
