-- What happens in the shop between two runs of the pipeline: Monday, 28 October 2024.
BEGIN;

-- 07:55, the payment job.
UPDATE payment SET paid = true, last_updated = timestamp '2024-10-28 07:55:11' + payment_id % 1999 * interval '1 ms'
WHERE NOT paid AND payment_date = '2024-10-28';

-- The office corrects orders in place. Nobody touches last_updated: only the contents tell that they changed.
UPDATE sales_order SET agreed_delivery_date = (agreed_delivery_date::date + 21)::text WHERE sales_order_id % 400 = 0;
UPDATE sales_order SET agreed_delivery_location_id = agreed_delivery_location_id % 30 + 1 WHERE sales_order_id % 500 = 1;
UPDATE sales_order SET design_id = design_id + 1 WHERE sales_order_id % 700 = 2 AND design_id < 259;
UPDATE sales_order SET staff_id = staff_id % 20 + 1 WHERE sales_order_id % 900 = 3;
UPDATE purchase_order SET item_code = 'X' || substr(item_code, 2) WHERE purchase_order_id % 300 = 0;
UPDATE design SET file_location = '/mnt' WHERE design_id % 50 = 0;

-- One delivery is put off by more than a year: the calendar of the warehouse has to grow.
UPDATE sales_order SET agreed_delivery_date = '2026-02-02' WHERE sales_order_id = 4000;

-- Other corrections are made by the book.
UPDATE sales_order SET agreed_delivery_date = '2024-11-15', last_updated = '2024-10-28 09:12:09.250'
WHERE sales_order_id IN (4400, 4401, 4402);

-- Dispatch moves into a place of its own; a customer gets a new telephone.
UPDATE department SET location = 'Leeds', last_updated = '2024-10-28 09:30:09.100' WHERE department_name = 'Dispatch';
UPDATE address SET phone = '0161 000000', last_updated = '2024-10-28 09:31:09.100' WHERE address_id = 7;

-- The design that nobody ever ordered is withdrawn.
DELETE FROM design d
WHERE design_id = 260 AND NOT EXISTS (SELECT FROM sales_order o WHERE o.design_id = d.design_id);

-- And 12 new sales orders come in, each with its transaction and its payment.
WITH sale AS (
  INSERT INTO sales_order (created_at, last_updated, design_id, staff_id, counterparty_id, units_sold, unit_price, currency_id,
                           agreed_delivery_date, agreed_payment_date, agreed_delivery_location_id)
  SELECT at, at, 250 + n % 10, n, n, n * 1500, 2.50 + n * 0.05, 1 + n % 3, '2024-11-04', '2024-10-30', n
  FROM generate_series(1, 12) AS n, LATERAL (SELECT timestamp '2024-10-28 10:00:09.500' + n * interval '20 minutes' AS at) AS moment
  RETURNING *
), booking AS (
  INSERT INTO transaction (transaction_type, sales_order_id, created_at, last_updated)
  SELECT 'SALE', sales_order_id, created_at, last_updated FROM sale
  RETURNING transaction_id, sales_order_id
)
INSERT INTO payment (created_at, last_updated, transaction_id, counterparty_id, payment_amount, currency_id, payment_type_id,
                     paid, payment_date, company_ac_number, counterparty_ac_number)
SELECT created_at, last_updated, transaction_id, counterparty_id, units_sold * unit_price, currency_id, 1,
       false, agreed_payment_date, 10000000 + sales_order_id, 20000000 + sales_order_id
FROM sale JOIN booking USING (sales_order_id);

COMMIT;
