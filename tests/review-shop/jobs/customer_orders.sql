-- What each customer ordered and paid, those who never ordered too.
SELECT
  c.customerId,
  c.city,
  COUNT(o.orderId) AS orders,
  CAST(COALESCE(SUM(o.paid), CAST(0 AS DECIMAL(12, 2))) AS DECIMAL(12, 2)) AS lifetimeValue,
  MAX(o.orderedAt) AS lastOrderedAt
FROM customer_trusted c
LEFT JOIN order_trusted o ON o.customerId = c.customerId
GROUP BY c.customerId, c.city
