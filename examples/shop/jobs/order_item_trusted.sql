-- The items of orders that stand, each once: an order may have come several times, with another status.
SELECT
  i.orderId,
  i.line,
  i.sku,
  i.quantity,
  i.unitPrice
FROM (
  SELECT
    l.orderId,
    l.line,
    l.sku,
    l.quantity,
    l.unitPrice,
    ROW_NUMBER() OVER (PARTITION BY l.orderId, l.line ORDER BY l.sku, l.quantity DESC, l.unitPrice DESC) AS place
  FROM order_item_landing l
) i
WHERE i.place = 1 AND EXISTS (SELECT 1 FROM order_trusted o WHERE o.orderId = i.orderId)
