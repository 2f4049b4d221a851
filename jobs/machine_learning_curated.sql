-- Each step reading with the accelerometer readings of the same instant. With pairing by customer, a device's
-- reading pairs with its owner's movements; where the movements of several owners fit, with none.
-- subject and device are given in the clear here: the contract makes the writer replace them.
WITH owners AS (
  SELECT DISTINCT c.serialNumber, c.email
  FROM customers_curated c
),
-- Looked for before all readings are joined: mostly there is none.
shared AS (
  SELECT o.serialNumber, o.email
  FROM owners o
  WHERE EXISTS (
    SELECT 1 FROM owners t WHERE t.serialNumber = o.serialNumber GROUP BY t.serialNumber HAVING COUNT(*) > 1
  )
),
ambiguous AS (
  SELECT s.serialNumber, s.sensorReadingTime AS instant
  FROM accelerometer_trusted a
  JOIN shared o ON o.email = a.user
  JOIN step_trainer_trusted s ON s.serialNumber = o.serialNumber AND s.sensorReadingTime = a.timestamp
  GROUP BY s.serialNumber, s.sensorReadingTime
  HAVING MIN(a.user) < MAX(a.user)
)
SELECT
  s.sensorReadingTime,
  a.user AS subject,
  s.serialNumber AS device,
  s.distanceFromObject,
  a.x,
  a.y,
  a.z
FROM accelerometer_trusted a
JOIN owners o ON o.email = a.user
JOIN step_trainer_trusted s ON s.serialNumber = o.serialNumber AND s.sensorReadingTime = a.timestamp
LEFT JOIN ambiguous m ON m.serialNumber = s.serialNumber AND m.instant = s.sensorReadingTime
WHERE :pairing = 'customer' AND m.instant IS NULL
UNION ALL
SELECT
  s.sensorReadingTime,
  a.user AS subject,
  s.serialNumber AS device,
  s.distanceFromObject,
  a.x,
  a.y,
  a.z
FROM step_trainer_trusted s
JOIN accelerometer_trusted a ON a.timestamp = s.sensorReadingTime
WHERE :pairing = 'timestamp'
