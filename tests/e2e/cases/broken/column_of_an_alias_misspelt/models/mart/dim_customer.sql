/* ---
key: customer_id
checks:
  - not_null: [customer_id, name]
  - accepted_values: {country: [GB, US]}
--- */
SELECT c.custmer_id AS customer_id, name, country, joined_on
FROM seeds.customer c
