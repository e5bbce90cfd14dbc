/* ---
key: sale_id
checks:
  - references: {customer_id: mart.dim_customer}
  - range: {amount: {min: 0}}
warehouse: {types: {amount: "numeric(9,2)"}}
--- */
SELECT sale_id, customer_id, amount, in_cents(amount, 2) AS cents, sold_at::date AS sold_on
FROM seeds.sale
