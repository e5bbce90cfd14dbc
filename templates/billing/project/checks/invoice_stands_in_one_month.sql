/* ---
description: An invoice dated in a month that is stored stands in exactly one. Two have it if its date was changed later.
severity: warn
tags: [monthly]
--- */
SELECT i.site, i.id, i."date", count(m.month) AS months
FROM billing.invoices i
JOIN first_months() f ON f.site = i.site AND f.first_month <= local_date(i."date")
LEFT JOIN monthly.invoices m ON m.site = i.site AND m.id = i.id
WHERE date_trunc('month', local_date(i."date")) <= (SELECT max(month) FROM monthly.invoices)
GROUP BY ALL
HAVING count(m.month) <> 1
