-- Orders and what was paid for them, by day.
SELECT
  CAST(o.orderedAt AS DATE) AS day,
  COUNT(*) AS orders,
  SUM(o.amount) AS revenue
FROM order_trusted o
GROUP BY CAST(o.orderedAt AS DATE)
