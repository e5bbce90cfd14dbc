/* ---
key: customer_id
checks:
  - not_null: [customer_id, name]
  - accepted_values: {country: [GB, US]}
--- */
DELETE FROM seeds.customer
