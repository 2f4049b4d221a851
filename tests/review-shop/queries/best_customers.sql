-- The ten customers who paid most, and how long ago they ordered last.
SELECT
  c.customerId,
  c.lifetimeValue,
  EXTRACT(DAY FROM CAST(n.newest AS TIMESTAMP) - CAST(c.lastOrderedAt AS TIMESTAMP)) AS daysSinceOrder
FROM customer_orders c
CROSS JOIN (SELECT MAX(o.lastOrderedAt) AS newest FROM customer_orders o) n
WHERE c.orders > 0
ORDER BY c.lifetimeValue DESC, c.customerId
LIMIT 10
