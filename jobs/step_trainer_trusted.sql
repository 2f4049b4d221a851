-- Readings of the devices of curated customers; with since-grant, only those made after an owner agreed.
-- Grouped before it is joined: thousands of customers may share one serial number.
WITH devices AS (
  SELECT c.serialNumber, MIN(c.shareWithResearchAsOfDate) AS since
  FROM customers_curated c
  GROUP BY c.serialNumber
)
SELECT
  s.sensorReadingTime,
  s.serialNumber,
  s.distanceFromObject
FROM step_trainer_landing s
JOIN devices d ON d.serialNumber = s.serialNumber
WHERE :consent = 'granted' OR s.sensorReadingTime >= d.since
