-- Readings whose user is a customer who agreed; with since-grant, only those made after they agreed.
-- EXISTS and not a join: an e-mail with several records must not multiply readings.
SELECT
  a.user,
  a.timestamp,
  a.x,
  a.y,
  a.z
FROM accelerometer_landing a
WHERE EXISTS (
  SELECT 1
  FROM customer_trusted c
  WHERE c.email = a.user
    AND (:consent = 'granted' OR a.timestamp >= c.shareWithResearchAsOfDate)
)
