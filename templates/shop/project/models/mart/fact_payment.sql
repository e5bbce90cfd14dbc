/* ---
description: Payments, one row per version. A payment has a second one once it is paid; its greatest payment_record_id
  is how it stands now.
kind: history
key: payment_id
record_id: payment_record_id
checks:
  - not_null: [payment_id, created_date, created_time, last_updated_date, last_updated_time, transaction_id,
               counterparty_id, payment_amount, currency_id, payment_type_id, paid]
  - not_null: [payment_date]                                   # text in the source, as in fact_sales_order
    severity: reject
  - range: {payment_amount: {min: 0}}
  - references:
      created_date: mart.dim_date
      last_updated_date: mart.dim_date
      payment_date: mart.dim_date
      transaction_id: mart.dim_transaction
      counterparty_id: mart.dim_counterparty
      currency_id: mart.dim_currency
      payment_type_id: mart.dim_payment_type
warehouse: {types: {payment_amount: numeric}}
--- */
SELECT
  payment_id,
  created_at::DATE                         AS created_date,
  created_at::TIME                         AS created_time,
  last_updated::DATE                       AS last_updated_date,
  last_updated::TIME                       AS last_updated_time,
  transaction_id,
  counterparty_id,
  payment_amount,
  currency_id,
  payment_type_id,
  paid,
  try_cast(payment_date AS DATE)           AS payment_date
FROM totesys.payment__history
