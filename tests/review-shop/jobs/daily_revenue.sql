-- Orders and what was paid for them, by day. A mean is rounded to the cent, half away from zero.
SELECT
  CAST(o.orderedAt AS DATE) AS day,
  COUNT(*) AS orders,
  CAST(SUM(o.paid) AS DECIMAL(12, 2)) AS revenue,
  CAST(ROUND(CAST(CAST(SUM(o.paid) AS DOUBLE) / COUNT(*) AS DECIMAL(16, 4)), 2) AS DECIMAL(12, 2)) AS meanOrder
FROM order_trusted o
GROUP BY CAST(o.orderedAt AS DATE)
