/* ---
kind: incremental
checks:
  - not_null: [customer_id, name]
--- */
SELECT customer_id, name, country, joined_on
FROM seeds.customer WHERE joined_on > $since
