/* ---
description: Purchase orders, one row per version. The greatest purchase_record_id of an order is how it stands now.
kind: history
key: purchase_order_id
record_id: purchase_record_id
checks:
  - not_null: [purchase_order_id, created_date, created_time, last_updated_date, last_updated_time, staff_id,
               counterparty_id, item_code, item_quantity, item_unit_price, currency_id, agreed_delivery_location_id]
  - not_null: [agreed_delivery_date, agreed_payment_date]      # text in the source, as in fact_sales_order
    severity: reject
  - range: {item_quantity: {min: 1}, item_unit_price: {min: 0}}
  - references:
      created_date: mart.dim_date
      last_updated_date: mart.dim_date
      agreed_delivery_date: mart.dim_date
      agreed_payment_date: mart.dim_date
      staff_id: mart.dim_staff
      counterparty_id: mart.dim_counterparty
      currency_id: mart.dim_currency
      agreed_delivery_location_id: mart.dim_location
warehouse: {types: {item_unit_price: numeric}}
--- */
SELECT
  purchase_order_id,
  created_at::DATE                         AS created_date,
  created_at::TIME                         AS created_time,
  last_updated::DATE                       AS last_updated_date,
  last_updated::TIME                       AS last_updated_time,
  staff_id,
  counterparty_id,
  item_code,
  item_quantity,
  item_unit_price,
  currency_id,
  try_cast(agreed_delivery_date AS DATE)   AS agreed_delivery_date,
  try_cast(agreed_payment_date AS DATE)    AS agreed_payment_date,
  agreed_delivery_location_id
FROM totesys.purchase_order__history
