-- What is paid, and what is not?
SELECT t.payment_type_name AS payment, c.currency_name AS currency,
       count(*) FILTER (WHERE p.paid) AS paid, sum(p.payment_amount) FILTER (WHERE p.paid) AS paid_amount,
       count(*) FILTER (WHERE NOT p.paid) AS unpaid, sum(p.payment_amount) FILTER (WHERE NOT p.paid) AS unpaid_amount
FROM (SELECT DISTINCT ON (payment_id) * FROM fact_payment
      ORDER BY payment_id, payment_record_id DESC) p
JOIN dim_payment_type t USING (payment_type_id)
JOIN dim_currency c USING (currency_id)
GROUP BY t.payment_type_id, t.payment_type_name, c.currency_name
ORDER BY t.payment_type_id, c.currency_name;
