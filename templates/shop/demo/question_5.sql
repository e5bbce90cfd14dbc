-- What was changed in sales orders after they were placed?
WITH version AS (
  SELECT *, row_number() OVER w AS number,
         lag(agreed_delivery_date) OVER w AS was_date, lag(agreed_delivery_location_id) OVER w AS was_location,
         lag(design_id) OVER w AS was_design, lag(sales_staff_id) OVER w AS was_staff
  FROM fact_sales_order
  WINDOW w AS (PARTITION BY sales_order_id ORDER BY sales_record_id)
)
SELECT change, count(*) AS changes,
       count(*) FILTER (WHERE (last_updated_date, last_updated_time) = (created_date, created_time)) AS "without a new time stamp",
       round(avg(nullif(agreed_delivery_date - was_date, 0)), 1) AS "average delay in days"
FROM version, LATERAL (VALUES
  ('delivery date', agreed_delivery_date <> was_date),
  ('delivery place', agreed_delivery_location_id <> was_location),
  ('design', design_id <> was_design),
  ('member of staff', sales_staff_id <> was_staff)) AS c (change, happened)
WHERE number > 1 AND happened
GROUP BY change
ORDER BY changes DESC, change;
