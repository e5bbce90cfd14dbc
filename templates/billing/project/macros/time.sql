-- The day of a moment where the project lives: the zone of `timezone` in leat.yaml, which must stand here too.
CREATE MACRO local_date(t) AS CAST(timezone('UTC', t) AS DATE);

-- The first month of each site that can be known: the one before the month of its first read. The API gives each
-- row as it is now, so earlier months would be made of rows that changed since. Nothing is there before a customer.
CREATE MACRO first_months() AS TABLE
  SELECT site, CAST(date_trunc('month', local_date(min(_leat_time))) - INTERVAL 1 MONTH AS DATE) AS first_month
  FROM billing.customers__history
  GROUP BY site;
