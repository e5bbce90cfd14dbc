-- The nearest whole number of numerator / denominator, halves to the even one. Both are HUGEINT and the
-- denominator is above zero. DuckDB's own round_even() computes with floating point numbers.
CREATE MACRO half_even(numerator, denominator) AS
  sign(numerator) * (
    abs(numerator) // denominator
    + CASE
        WHEN 2 * (abs(numerator) % denominator) > denominator THEN 1
        WHEN 2 * (abs(numerator) % denominator) = denominator THEN (abs(numerator) // denominator) % 2
        ELSE 0
      END);

-- Euros of an amount in the smallest unit of a currency with `digits` digits behind the point, where
-- 1 EUR = rate × currency. Exact until it is rounded to cents, once. NULL without a rate.
CREATE MACRO in_eur(amount, digits, rate) AS
  CAST(
    CAST(
      half_even(
        CAST(amount AS HUGEINT) * 100000000,
        CAST(pow(10, digits) AS HUGEINT) * CAST(CAST(rate AS DECIMAL(28,6)) * 1000000 AS HUGEINT))
      AS DECIMAL(18,0)) * 0.01
    AS DECIMAL(18,2));

-- The rates that hold on a day: those of the last working day up to it.
CREATE MACRO rates_on(day) AS TABLE
  SELECT r.currency, c.digits, r.rate, r.rate_date
  FROM fx.rates r
  JOIN seeds.currencies c ON c.currency = r.currency
  WHERE r.rate_date = (SELECT max(rate_date) FROM fx.rates WHERE rate_date <= day);
