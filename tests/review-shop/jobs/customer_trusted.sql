-- Each customer as they last registered; of two registrations of one instant, the one that is last by its address.
SELECT
  c.customerId,
  c.email,
  c.city,
  c.born,
  c.newsletter,
  c.registeredAt
FROM (
  SELECT
    l.customerId,
    l.email,
    l.city,
    l.born,
    l.newsletter,
    l.registeredAt,
    ROW_NUMBER() OVER (
      PARTITION BY l.customerId
      ORDER BY l.registeredAt DESC, l.email DESC, l.city DESC, l.born DESC NULLS LAST, l.newsletter DESC
    ) AS place
  FROM customer_landing l
) c
WHERE c.place = 1
