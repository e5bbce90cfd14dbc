-- What did we sell in the last six months, by currency?
SELECT d.year, d.month_name AS month,
       sum(o.units_sold * o.unit_price) FILTER (WHERE c.currency_code = 'GBP') AS pounds,
       sum(o.units_sold * o.unit_price) FILTER (WHERE c.currency_code = 'USD') AS dollars,
       sum(o.units_sold * o.unit_price) FILTER (WHERE c.currency_code = 'EUR') AS euros
FROM (SELECT DISTINCT ON (sales_order_id) * FROM fact_sales_order
      ORDER BY sales_order_id, sales_record_id DESC) o
JOIN dim_date d ON d.date_id = o.created_date
JOIN dim_currency c USING (currency_id)
WHERE o.created_date >= (SELECT date_trunc('month', max(created_date)) - interval '5 months' FROM fact_sales_order)
GROUP BY d.year, d.month, d.month_name
ORDER BY d.year, d.month;
