-- Each product at its newest price; of two of one instant, the dearer.
SELECT
  p.sku,
  p.title,
  p.price,
  p.changedAt
FROM (
  SELECT
    l.sku,
    l.title,
    l.price,
    l.changedAt,
    ROW_NUMBER() OVER (PARTITION BY l.sku ORDER BY l.changedAt DESC, l.price DESC, l.title DESC) AS place
  FROM product_landing l
) p
WHERE p.place = 1
