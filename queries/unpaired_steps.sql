-- Which step readings pair with no movement under the rule customer, and why.
WITH owners AS (
  SELECT DISTINCT c.serialNumber, c.email
  FROM customers_curated c
),
movements AS (
  SELECT o.serialNumber, a.timestamp AS instant, COUNT(DISTINCT a.user) AS customers
  FROM accelerometer_trusted a
  JOIN owners o ON o.email = a.user
  GROUP BY o.serialNumber, a.timestamp
)
SELECT
  s.sensorReadingTime,
  s.serialNumber,
  s.distanceFromObject,
  CASE
    WHEN m.customers IS NULL THEN 'no customer of the device moved'
    ELSE 'several customers of the device moved'
  END AS reason
FROM step_trainer_trusted s
LEFT JOIN movements m ON m.serialNumber = s.serialNumber AND m.instant = s.sensorReadingTime
WHERE m.customers IS NULL OR m.customers > 1
ORDER BY s.sensorReadingTime, s.serialNumber, s.distanceFromObject
