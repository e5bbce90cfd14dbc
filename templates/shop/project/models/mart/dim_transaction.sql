/* ---
description: Ties a payment to the sales order or the purchase order that it pays.
key: transaction_id
keep_deleted: true
checks:
  - unique: [transaction_id]
  - not_null: [transaction_id, transaction_type]
  - accepted_values: {transaction_type: [SALE, PURCHASE]}
--- */
SELECT transaction_id, transaction_type, sales_order_id, purchase_order_id
FROM totesys.transaction
