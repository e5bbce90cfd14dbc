-- A generated year of the shop, about 20,000 rows. Everything follows from md5 of row numbers, so it is
-- the same on every machine and in every run. All names are made of words; nobody is meant.

-- A number from `low` to `high` that looks random and depends on `seed` alone.
CREATE FUNCTION pg_temp.pick(seed text, low integer, high integer) RETURNS integer IMMUTABLE LANGUAGE sql
RETURN low + (('x' || substr(md5(seed), 1, 8))::bit(32)::bigint % (high - low + 1))::integer;

CREATE FUNCTION pg_temp.word(seed text, words text[]) RETURNS text IMMUTABLE LANGUAGE sql
RETURN words[pg_temp.pick(seed, 1, cardinality(words))];

INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
VALUES ('00000000-0000-4000-8000-000000000001', repeat('0', 64), '20231220090000_init',
        '2023-12-20 09:00:00+00', '2023-12-20 09:00:01+00', 1);

-- The fixtures of the shop. Dispatch has no location yet.
INSERT INTO department (department_name, location, manager, created_at, last_updated)
SELECT name, location, initcap(pg_temp.word('manager' || name, '{alex,billie,kit,robin}')) || ' Hazel', at, at
FROM (VALUES ('Sales', 'Manchester'), ('Purchasing', 'Manchester'), ('Production', 'Leeds'), ('Dispatch', NULL),
             ('Finance', 'Manchester'), ('Facilities', 'Manchester'), ('Communications', 'Leeds'), ('HR', 'Leeds')
     ) AS department (name, location), (SELECT timestamp '2023-12-20 09:30:00.962' AS at) AS opening;

INSERT INTO currency (currency_code, created_at, last_updated)
SELECT code, '2023-12-20 09:30:00.962', '2023-12-20 09:30:00.962'
FROM unnest('{GBP,USD,EUR}'::text[]) AS code;

INSERT INTO payment_type (payment_type_name, created_at, last_updated)
SELECT name, '2023-12-20 09:30:00.962', '2023-12-20 09:30:00.962'
FROM unnest(enum_range(NULL::"PaymentTypeName")) AS name;

INSERT INTO address (address_line_1, address_line_2, district, city, postal_code, country, phone, created_at, last_updated)
SELECT
  pg_temp.pick('house' || n, 1, 980) || ' ' || pg_temp.word('street' || n, '{Loom,Cotton,Weir,Spindle,Bobbin,Shuttle}')
    || ' ' || pg_temp.word('way' || n, '{Lane,Row,Street,Yard}'),
  CASE WHEN n % 3 = 0 THEN 'Unit ' || n END,
  CASE WHEN n % 2 = 0 THEN pg_temp.word('district' || n, '{Fenland,Millside,Northmoor,Southdale}') END,
  pg_temp.word('city' || n, '{Upper,Lower,New,Old}') || ' ' || pg_temp.word('town' || n, '{Threadford,Hemley,Totesby,Calico}'),
  lpad(pg_temp.pick('code' || n, 100, 99999)::text, 5, '0'),          -- leading zeros belong to it
  pg_temp.word('country' || n, ARRAY['Brazil', 'Canada', 'Côte d''Ivoire', 'Falkland Islands (Malvinas)', 'Japan', 'Kenya',
    'New Zealand', 'Norway', 'Portugal', 'Republic of Korea', 'Svalbard & Jan Mayen Islands', 'Turkey']),
  lpad(pg_temp.pick('prefix' || n, 1, 9999)::text, 4, '0') || ' ' || lpad(pg_temp.pick('line' || n, 1, 999999)::text, 6, '0'),
  '2023-12-20 09:30:00.962', '2023-12-20 09:30:00.962'
FROM generate_series(1, 30) AS n;

INSERT INTO counterparty (counterparty_legal_name, legal_address_id, commercial_contact, delivery_contact, created_at, last_updated)
SELECT
  CASE n % 3
    WHEN 0 THEN a || ', ' || b || ' and ' || c
    WHEN 1 THEN a || '-' || b
    ELSE a || ' and ' || c
  END,
  pg_temp.pick('legal address' || n, 1, 30),
  'Buyer ' || n,
  CASE WHEN n % 4 > 0 THEN 'Gate ' || n END,
  '2023-12-20 09:30:01.563', '2023-12-20 09:30:01.563'
FROM generate_series(1, 20) AS n,
LATERAL (SELECT
  pg_temp.word('a' || n, '{Amber,Copper,Indigo,Ivory,Ochre,Scarlet,Umber,Violet}') AS a,
  pg_temp.word('b' || n, '{Basket,Canvas,Jute,Linen,Ribbon,Satchel}') AS b,
  pg_temp.word('c' || n, '{Sons,Daughters,Partners,Friends}') AS c) AS names;

INSERT INTO staff (first_name, last_name, department_id, email_address, created_at, last_updated)
SELECT initcap(first), last, pg_temp.pick('department' || n, 1, 8), first || '.' || lower(last) || '@totes.example',
       '2023-12-20 09:30:01.563', '2023-12-20 09:30:01.563'
FROM generate_series(1, 20) AS n,
LATERAL (SELECT
  ('{alex,billie,charlie,drew,jo,kit,max,pat,robin,sam}'::text[])[1 + n % 10] AS first,
  (ARRAY['Ash', 'Birch', 'Cedar', 'Elder', 'Fern', 'O''Heather', 'Larch'])[1 + n % 7] AS last) AS names;

-- 260 designs, a handful before the shop opens and then one on most days. Nobody ever orders the last one.
INSERT INTO design (created_at, design_name, file_location, file_name, last_updated)
SELECT
  at, name, pg_temp.word('folder' || n, '{/usr,/private,/opt,/srv,/lost+found}'),
  lower(name) || '-' || to_char(at, 'YYYYMMDD') || '-' || substr(md5('file' || n), 1, 4) || '.json', at
FROM generate_series(1, 260) AS n,
LATERAL (SELECT
  timestamp '2023-12-20 18:50:09' + greatest(n - 20, 0) * interval '1 day'
    + pg_temp.pick('design time' || n, 0, 999) * interval '1 ms' AS at,
  pg_temp.word('design' || n, '{Bronze,Concrete,Cotton,Fresh,Frozen,Granite,Metal,Plastic,Rubber,Soft,Steel,Wooden}') AS name) AS x;

-- 30 orders on each of 215 working days from Monday, 1 January 2024, to Friday, 25 October 2024, about 22
-- minutes apart; seven in ten are sales. An order, its transaction and its payment share one time stamp.
CREATE TEMPORARY TABLE new_order AS
SELECT
  n,
  CASE WHEN is_sale THEN count(*) FILTER (WHERE is_sale) OVER up_to_here END AS sales_order_id,
  CASE WHEN NOT is_sale THEN count(*) FILTER (WHERE NOT is_sale) OVER up_to_here END AS purchase_order_id,
  at,
  pg_temp.pick('staff' || n, 1, 20) AS staff_id,
  pg_temp.pick('counterparty' || n, 1, 20) AS counterparty_id,
  pg_temp.pick('currency' || n, 1, 3) AS currency_id,
  pg_temp.pick('location' || n, 1, 30) AS location_id,
  CASE WHEN is_sale THEN pg_temp.pick('units' || n, 1000, 100000) ELSE pg_temp.pick('units' || n, 1, 999) END AS quantity,
  CASE WHEN is_sale THEN pg_temp.pick('price' || n, 200, 400) ELSE pg_temp.pick('price' || n, 300, 99900) END / 100.0 AS price,
  at::date + pg_temp.pick('delivery' || n, 0, 7) AS delivery_date,
  at::date + pg_temp.pick('payment' || n, 0, 6) AS payment_date
FROM generate_series(1, 6450) AS n,
LATERAL (SELECT (n - 1) / 30 AS day, (n - 1) % 30 AS slot, pg_temp.pick('kind' || n, 1, 10) <= 7 AS is_sale) AS position,
LATERAL (SELECT timestamp '2024-01-01 08:00:09' + day / 5 * interval '7 days' + day % 5 * interval '1 day'
  + (slot * 22 + pg_temp.pick('minute' || n, 0, 21)) * interval '1 minute'
  + pg_temp.pick('millisecond' || n, 0, 1999) * interval '1 ms' AS at) AS moment
WINDOW up_to_here AS (ORDER BY n);

INSERT INTO sales_order (created_at, last_updated, design_id, staff_id, counterparty_id, units_sold, unit_price, currency_id,
                         agreed_delivery_date, agreed_payment_date, agreed_delivery_location_id)
SELECT at, at,
       -- A design that exists by then; recent ones sell best.
       greatest(1, 19 + least(240, at::date - date '2023-12-20')
                   - pg_temp.pick('design of' || n, 0, 10) * pg_temp.pick('fashion' || n, 0, 10)),
       staff_id, counterparty_id, quantity, price, currency_id, delivery_date::text, payment_date::text, location_id
FROM new_order WHERE sales_order_id IS NOT NULL ORDER BY n;

INSERT INTO purchase_order (created_at, last_updated, staff_id, counterparty_id, item_code, item_quantity, item_unit_price,
                            currency_id, agreed_delivery_date, agreed_payment_date, agreed_delivery_location_id)
SELECT at, at, staff_id, counterparty_id, upper(substr(md5('item' || n), 1, 7)), quantity, price,
       currency_id, delivery_date::text, payment_date::text, location_id
FROM new_order WHERE purchase_order_id IS NOT NULL ORDER BY n;

INSERT INTO transaction (transaction_type, sales_order_id, purchase_order_id, created_at, last_updated)
SELECT (CASE WHEN sales_order_id IS NULL THEN 'PURCHASE' ELSE 'SALE' END)::"TransactionType",
       sales_order_id, purchase_order_id, at, at
FROM new_order ORDER BY n;

-- Every working day at 07:55 a job marks what is due that day as paid. What falls due on a weekend or was
-- ordered later on its own due day is missed, and stays unpaid: that is how this shop works.
INSERT INTO payment (created_at, last_updated, transaction_id, counterparty_id, payment_amount, currency_id, payment_type_id,
                     paid, payment_date, company_ac_number, counterparty_ac_number)
SELECT at,
       CASE WHEN paid THEN payment_date + time '07:55:11' + pg_temp.pick('job' || n, 0, 1999) * interval '1 ms' ELSE at END,
       n, counterparty_id, quantity * price, currency_id, CASE WHEN sales_order_id IS NULL THEN 3 ELSE 1 END,
       paid, payment_date::text, pg_temp.pick('ours' || n, 10000000, 99999999), pg_temp.pick('theirs' || n, 10000000, 99999999)
FROM new_order,
LATERAL (SELECT payment_date > at::date AND payment_date <= date '2024-10-25' AND extract(isodow FROM payment_date) < 6 AS paid) AS job
ORDER BY n;

DROP TABLE new_order;
ANALYZE;
