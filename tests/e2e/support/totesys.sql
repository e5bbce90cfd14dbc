-- The totesys database as Prisma made it: enum types with capitals, serial keys, timestamps of milliseconds without zone.

CREATE TYPE "PaymentTypeName" AS ENUM ('SALES_RECEIPT', 'SALES_REFUND', 'PURCHASE_PAYMENT', 'PURCHASE_REFUND');
CREATE TYPE "TransactionType" AS ENUM ('SALE', 'PURCHASE');

CREATE TABLE _prisma_migrations (
  id varchar(36) PRIMARY KEY,
  checksum varchar(64) NOT NULL,
  finished_at timestamptz,
  migration_name varchar(255) NOT NULL,
  logs text,
  rolled_back_at timestamptz,
  started_at timestamptz NOT NULL DEFAULT now(),
  applied_steps_count integer NOT NULL DEFAULT 0
);
INSERT INTO _prisma_migrations VALUES
  ('5b0ad3a2-7a0e-4ed2-9c4b-8f2c1f6b7a01', repeat('a1', 32), '2022-11-03 14:20:48.1+00', '20221013093402_init', NULL, NULL,
   '2022-11-03 14:20:47.9+00', 1),
  ('f0a1b7f4-21d3-4a44-8d5c-0e5d3b9c1a02', repeat('b2', 32), '2022-11-03 14:20:48.4+00', '20221018143311_transaction_unique', NULL, NULL,
   '2022-11-03 14:20:48.2+00', 1);

CREATE TABLE department (
  department_id serial PRIMARY KEY,
  department_name text NOT NULL,
  location text,
  manager text,
  created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  last_updated timestamp(3) NOT NULL
);

CREATE TABLE address (
  address_id serial PRIMARY KEY,
  address_line_1 text NOT NULL,
  address_line_2 text,
  district text,
  city text NOT NULL,
  postal_code text NOT NULL,
  country text NOT NULL,
  phone text NOT NULL,
  created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  last_updated timestamp(3) NOT NULL
);

CREATE TABLE currency (
  currency_id serial PRIMARY KEY,
  currency_code varchar(3) NOT NULL,
  created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  last_updated timestamp(3) NOT NULL
);

CREATE TABLE payment_type (
  payment_type_id serial PRIMARY KEY,
  payment_type_name "PaymentTypeName" NOT NULL,
  created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  last_updated timestamp(3) NOT NULL
);

CREATE TABLE design (
  design_id serial PRIMARY KEY,
  created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  design_name text NOT NULL,
  file_location text NOT NULL,
  file_name text NOT NULL,
  last_updated timestamp(3) NOT NULL
);

CREATE TABLE staff (
  staff_id serial PRIMARY KEY,
  first_name text NOT NULL,
  last_name text NOT NULL,
  department_id integer NOT NULL,
  email_address text NOT NULL,
  created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  last_updated timestamp(3) NOT NULL
);

CREATE TABLE counterparty (
  counterparty_id serial PRIMARY KEY,
  counterparty_legal_name text NOT NULL,
  legal_address_id integer NOT NULL,
  commercial_contact text,
  delivery_contact text,
  created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  last_updated timestamp(3) NOT NULL
);

CREATE TABLE sales_order (
  sales_order_id serial PRIMARY KEY,
  created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  last_updated timestamp(3) NOT NULL,
  design_id integer NOT NULL,
  staff_id integer NOT NULL,
  counterparty_id integer NOT NULL,
  units_sold integer NOT NULL,
  unit_price numeric(10,2) NOT NULL,
  currency_id integer NOT NULL,
  agreed_delivery_date text NOT NULL,
  agreed_payment_date text NOT NULL,
  agreed_delivery_location_id integer NOT NULL
);

CREATE TABLE purchase_order (
  purchase_order_id serial PRIMARY KEY,
  created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  last_updated timestamp(3) NOT NULL,
  staff_id integer NOT NULL,
  counterparty_id integer NOT NULL,
  item_code text NOT NULL,
  item_quantity integer NOT NULL,
  item_unit_price numeric(10,2) NOT NULL,
  currency_id integer NOT NULL,
  agreed_delivery_date text NOT NULL,
  agreed_payment_date text NOT NULL,
  agreed_delivery_location_id integer NOT NULL
);

CREATE TABLE transaction (
  transaction_id serial PRIMARY KEY,
  transaction_type "TransactionType" NOT NULL,
  sales_order_id integer,
  purchase_order_id integer,
  created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  last_updated timestamp(3) NOT NULL
);

CREATE TABLE payment (
  payment_id serial PRIMARY KEY,
  created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  last_updated timestamp(3) NOT NULL,
  transaction_id integer NOT NULL,
  counterparty_id integer NOT NULL,
  payment_amount numeric(10,2) NOT NULL,
  currency_id integer NOT NULL,
  payment_type_id integer NOT NULL,
  paid boolean NOT NULL,
  payment_date text NOT NULL,
  company_ac_number integer NOT NULL,
  counterparty_ac_number integer NOT NULL
);

CREATE UNIQUE INDEX transaction_sales_order_id_key ON transaction (sales_order_id);
CREATE UNIQUE INDEX transaction_purchase_order_id_key ON transaction (purchase_order_id);
CREATE UNIQUE INDEX payment_transaction_id_key ON payment (transaction_id);

ALTER TABLE staff
  ADD FOREIGN KEY (department_id) REFERENCES department ON UPDATE CASCADE ON DELETE RESTRICT;
ALTER TABLE counterparty
  ADD FOREIGN KEY (legal_address_id) REFERENCES address ON UPDATE CASCADE ON DELETE RESTRICT;
ALTER TABLE sales_order
  ADD FOREIGN KEY (design_id) REFERENCES design ON UPDATE CASCADE ON DELETE RESTRICT,
  ADD FOREIGN KEY (staff_id) REFERENCES staff ON UPDATE CASCADE ON DELETE RESTRICT,
  ADD FOREIGN KEY (counterparty_id) REFERENCES counterparty ON UPDATE CASCADE ON DELETE RESTRICT,
  ADD FOREIGN KEY (currency_id) REFERENCES currency ON UPDATE CASCADE ON DELETE RESTRICT,
  ADD FOREIGN KEY (agreed_delivery_location_id) REFERENCES address ON UPDATE CASCADE ON DELETE RESTRICT;
ALTER TABLE purchase_order
  ADD FOREIGN KEY (staff_id) REFERENCES staff ON UPDATE CASCADE ON DELETE RESTRICT,
  ADD FOREIGN KEY (counterparty_id) REFERENCES counterparty ON UPDATE CASCADE ON DELETE RESTRICT,
  ADD FOREIGN KEY (currency_id) REFERENCES currency ON UPDATE CASCADE ON DELETE RESTRICT,
  ADD FOREIGN KEY (agreed_delivery_location_id) REFERENCES address ON UPDATE CASCADE ON DELETE RESTRICT;
ALTER TABLE transaction
  ADD FOREIGN KEY (sales_order_id) REFERENCES sales_order ON UPDATE CASCADE ON DELETE SET NULL,
  ADD FOREIGN KEY (purchase_order_id) REFERENCES purchase_order ON UPDATE CASCADE ON DELETE SET NULL;
ALTER TABLE payment
  ADD FOREIGN KEY (transaction_id) REFERENCES transaction ON UPDATE CASCADE ON DELETE RESTRICT,
  ADD FOREIGN KEY (counterparty_id) REFERENCES counterparty ON UPDATE CASCADE ON DELETE RESTRICT,
  ADD FOREIGN KEY (currency_id) REFERENCES currency ON UPDATE CASCADE ON DELETE RESTRICT,
  ADD FOREIGN KEY (payment_type_id) REFERENCES payment_type ON UPDATE CASCADE ON DELETE RESTRICT;
