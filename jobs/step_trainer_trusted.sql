-- Readings of the devices of curated customers; with since-grant, only those made after an owner agreed.
-- EXISTS and not a join: thousands of customers may share one serial number.
SELECT
  s.sensorReadingTime,
  s.serialNumber,
  s.distanceFromObject
FROM step_trainer_landing s
WHERE EXISTS (
  SELECT 1
  FROM customers_curated c
  WHERE c.serialNumber = s.serialNumber
    AND (:consent = 'granted' OR s.sensorReadingTime >= c.shareWithResearchAsOfDate)
)
