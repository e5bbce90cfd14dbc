/* ---
description: Customers as they are now.
key: [site, id]
warehouse: {table: latest_customers}
--- */
SELECT *
FROM billing.customers
