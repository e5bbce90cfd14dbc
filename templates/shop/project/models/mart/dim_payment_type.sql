/* ---
description: What a payment is for.
key: payment_type_id
keep_deleted: true
checks:
  - unique: [payment_type_id]
  - not_null: [payment_type_id, payment_type_name]
  - accepted_values: {payment_type_name: [SALES_RECEIPT, SALES_REFUND, PURCHASE_PAYMENT, PURCHASE_REFUND]}
    severity: warn          # a new type is news, not a mistake
--- */
SELECT payment_type_id, payment_type_name
FROM totesys.payment_type
