/* ---
description: A payment is what its order comes to, quantity times unit price. Compared as both stand now.
severity: warn
--- */
WITH order_value AS (
  SELECT 'SALE' AS transaction_type, sales_order_id AS order_id,
         arg_max(units_sold * unit_price, sales_record_id) AS amount
  FROM mart.fact_sales_order GROUP BY ALL
  UNION ALL
  SELECT 'PURCHASE', purchase_order_id,
         arg_max(item_quantity * item_unit_price, purchase_record_id)
  FROM mart.fact_purchase_orders GROUP BY ALL
), payment AS (
  SELECT payment_id, transaction_id, arg_max(payment_amount, payment_record_id) AS amount
  FROM mart.fact_payment GROUP BY ALL
)
SELECT p.payment_id, p.amount, o.amount AS order_amount
FROM payment p
JOIN mart.dim_transaction t USING (transaction_id)
JOIN order_value o ON o.transaction_type = t.transaction_type
                  AND o.order_id = coalesce(t.sales_order_id, t.purchase_order_id)
WHERE p.amount <> o.amount
