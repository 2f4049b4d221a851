-- How many records of each source were refused, and why.
WITH refused AS (
  SELECT 'customer_landing' AS source, q.reason FROM customer_landing_quarantine q
  UNION ALL
  SELECT 'order_landing' AS source, q.reason FROM order_landing_quarantine q
  UNION ALL
  SELECT 'payment_landing' AS source, q.reason FROM payment_landing_quarantine q
)
SELECT
  r.source,
  r.reason,
  COUNT(*) AS records
FROM refused r
GROUP BY r.source, r.reason
ORDER BY r.source, records DESC, r.reason
