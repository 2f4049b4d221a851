-- Orders that were paid. One that was delivered several times is kept once: as it was last ordered, and of those of one
-- instant the dearest.
SELECT
  o.orderId,
  MAX(o.customer) AS customer,
  o.orderedAt,
  MAX(o.amount) AS amount
FROM order_landing o
WHERE o.amount > 0
  AND NOT EXISTS (
    SELECT 1 FROM order_landing l WHERE l.orderId = o.orderId AND l.orderedAt > o.orderedAt
  )
GROUP BY o.orderId, o.orderedAt
