-- Readings whose user is a customer who agreed; with since-grant, only those made after they agreed.
-- Grouped before it is joined: an e-mail with several records must not multiply readings.
WITH consents AS (
  SELECT c.email, MIN(c.shareWithResearchAsOfDate) AS since
  FROM customer_trusted c
  GROUP BY c.email
)
SELECT
  a.user,
  a.timestamp,
  a.x,
  a.y,
  a.z
FROM accelerometer_landing a
JOIN consents c ON c.email = a.user
WHERE :consent = 'granted' OR a.timestamp >= c.since
