/* ---
key: customer_id
checks:
  - not_null: [customer_id, name]
  - accepted_values: {country: [GB, US]}
--- */
SELECT customer_id, name, upper(country), joined_on
FROM seeds.customer
