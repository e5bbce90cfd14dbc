CREATE MACRO in_cents(amount) AS CAST(round(amount * 100) AS BIGINT);
