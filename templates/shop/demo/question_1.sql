-- Which designs sell best?
SELECT d.design_name AS design, sum(o.units_sold) AS units, count(*) AS orders
FROM (SELECT DISTINCT ON (sales_order_id) * FROM fact_sales_order
      ORDER BY sales_order_id, sales_record_id DESC) o        -- every order as it stands now
JOIN dim_design d USING (design_id)
GROUP BY d.design_name
ORDER BY units DESC
LIMIT 5;
