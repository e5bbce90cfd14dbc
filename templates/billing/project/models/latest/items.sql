/* ---
description: Items of the sites that have them.
key: [site, id]
warehouse: {table: latest_items}
--- */
SELECT *
FROM billing.items
