/* ---
key: customer_id
checks:
  - not_null: [customer_id, name]
  - accepted_values: {country: [GB, US]}
--- */
PIVOT seeds.sale ON customer_id USING sum(amount)
