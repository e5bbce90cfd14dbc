/* ---
description: Sales orders, one row per version. An order that was changed has several rows; the one with the greatest
  sales_record_id is how it stands now.
kind: history
key: sales_order_id
record_id: sales_record_id
checks:
  - not_null: [sales_order_id, created_date, created_time, last_updated_date, last_updated_time, sales_staff_id,
               counterparty_id, units_sold, unit_price, currency_id, design_id, agreed_delivery_location_id]
  # The source keeps these two as text. A row whose date is none is set aside and does not stop the others.
  - not_null: [agreed_payment_date, agreed_delivery_date]
    severity: reject
  - range: {units_sold: {min: 1}, unit_price: {min: 0}}
  - references:
      created_date: mart.dim_date
      last_updated_date: mart.dim_date
      agreed_payment_date: mart.dim_date
      agreed_delivery_date: mart.dim_date
      sales_staff_id: mart.dim_staff
      counterparty_id: mart.dim_counterparty
      currency_id: mart.dim_currency
      design_id: mart.dim_design
      agreed_delivery_location_id: mart.dim_location
--- */
SELECT
  sales_order_id,
  created_at::DATE                         AS created_date,
  created_at::TIME                         AS created_time,
  last_updated::DATE                       AS last_updated_date,
  last_updated::TIME                       AS last_updated_time,
  staff_id                                 AS sales_staff_id,
  counterparty_id,
  units_sold,
  unit_price,
  currency_id,
  design_id,
  try_cast(agreed_payment_date AS DATE)    AS agreed_payment_date,
  try_cast(agreed_delivery_date AS DATE)   AS agreed_delivery_date,
  agreed_delivery_location_id
FROM totesys.sales_order__history
