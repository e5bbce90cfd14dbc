/* ---
description: Every payment belongs to a transaction.
--- */
SELECT payment_id, transaction_id
FROM mart.fact_payment
ANTI JOIN mart.dim_transaction USING (transaction_id)
