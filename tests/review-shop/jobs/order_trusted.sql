-- Orders that were not cancelled, each once, with what was paid for them. The last word of a status is what counts.
WITH paid AS (
  SELECT
    p.orderId,
    CAST(SUM(p.amount) AS DECIMAL(12, 2)) AS amount,
    MAX(CASE WHEN p.method = 'card' THEN 1 ELSE 0 END) AS cards
  FROM payment_landing p
  GROUP BY p.orderId
),
numbered AS (
  SELECT
    l.orderId,
    l.customerId,
    l.status,
    l.orderedAt,
    ROW_NUMBER() OVER (
      PARTITION BY l.orderId
      ORDER BY CASE l.status WHEN 'cancelled' THEN 4 WHEN 'sent' THEN 3 WHEN 'paid' THEN 2 ELSE 1 END DESC,
        l.orderedAt, l.customerId
    ) AS place
  FROM order_landing l
)
SELECT
  o.orderId,
  o.customerId,
  o.orderedAt,
  COALESCE(p.amount, CAST(0 AS DECIMAL(12, 2))) AS paid,
  COALESCE(p.cards, 0) = 1 AS isPaidByCard
FROM numbered o
LEFT JOIN paid p ON p.orderId = o.orderId
WHERE o.place = 1 AND o.status <> 'cancelled'
