/* ---
key: customer_id
checks:
  - not_null: [customer_id, name]
  - accepted_values: {country: [GB, US]}
--- */
SELECT customer_id, name, country, joined_on
FROM seeds.customer__at($run_time)
