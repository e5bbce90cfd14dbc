/* ---
key: customer_id
checks:
  - not_null: [customer_id, nmae]
  - accepted_values: {country: [GB, US]}
--- */
SELECT customer_id, name, country, joined_on
FROM seeds.customer
