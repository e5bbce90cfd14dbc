-- Which countries do we deliver to most?
SELECT l.country, count(*) AS orders, sum(o.units_sold) AS units
FROM (SELECT DISTINCT ON (sales_order_id) * FROM fact_sales_order
      ORDER BY sales_order_id, sales_record_id DESC) o
JOIN dim_location l ON l.location_id = o.agreed_delivery_location_id
GROUP BY l.country
ORDER BY orders DESC, l.country
LIMIT 5;
