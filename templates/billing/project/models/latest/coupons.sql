/* ---
description: Coupons as they are now.
key: [site, id]
warehouse: {table: latest_coupons}
--- */
SELECT t.*
FROM billing.coupons t
LEFT JOIN deleted_by_event('coupon') gone ON gone.site = t.site AND gone.id = t.id AND gone.deleted_at >= t.updated_at
WHERE gone.id IS NULL
