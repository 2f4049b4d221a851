-- Which devices have step readings that fit the movements of several customers, so that they pair with none.
WITH owners AS (
  SELECT DISTINCT c.serialNumber, c.email
  FROM customers_curated c
),
sharing AS (
  SELECT o.serialNumber, COUNT(*) AS customers
  FROM owners o
  GROUP BY o.serialNumber
  HAVING COUNT(*) > 1
),
ambiguous AS (
  SELECT o.serialNumber, a.timestamp AS instant
  FROM accelerometer_trusted a
  JOIN owners o ON o.email = a.user
  WHERE EXISTS (SELECT 1 FROM sharing h WHERE h.serialNumber = o.serialNumber)
  GROUP BY o.serialNumber, a.timestamp
  HAVING COUNT(DISTINCT a.user) > 1
)
SELECT
  s.serialNumber,
  h.customers,
  COUNT(*) AS ambiguous_readings,
  COUNT(DISTINCT s.sensorReadingTime) AS ambiguous_instants,
  MIN(s.sensorReadingTime) AS first_reading,
  MAX(s.sensorReadingTime) AS last_reading
FROM step_trainer_trusted s
JOIN sharing h ON h.serialNumber = s.serialNumber
JOIN ambiguous m ON m.serialNumber = s.serialNumber AND m.instant = s.sensorReadingTime
GROUP BY s.serialNumber, h.customers
ORDER BY ambiguous_readings DESC, s.serialNumber
