/* ---
kind: history
--- */
SELECT customer_id, name, country, joined_on
FROM crm.customer__history
