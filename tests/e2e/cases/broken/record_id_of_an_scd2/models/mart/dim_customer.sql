/* ---
kind: scd2
key: customer_id
record_id: id
checks:
  - not_null: [customer_id, name]
--- */
SELECT customer_id, name, country, joined_on
FROM crm.customer__history
