/* ---
description: Every sale costs something.
severity: reject
--- */
SELECT sale_id FROM mart.fact_sale WHERE amount = 0
