-- How many trusted readings are older than the consent: --consent since-grant leaves these out.
WITH consents AS (
  SELECT c.email, MIN(c.shareWithResearchAsOfDate) AS since
  FROM customer_trusted c
  GROUP BY c.email
),
devices AS (
  SELECT c.serialNumber, MIN(c.shareWithResearchAsOfDate) AS since
  FROM customers_curated c
  GROUP BY c.serialNumber
),
readings AS (
  SELECT 'accelerometer_trusted' AS table_name, CASE WHEN a.timestamp < c.since THEN 1 ELSE 0 END AS older
  FROM accelerometer_trusted a
  JOIN consents c ON c.email = a.user
  UNION ALL
  SELECT 'step_trainer_trusted' AS table_name, CASE WHEN s.sensorReadingTime < d.since THEN 1 ELSE 0 END AS older
  FROM step_trainer_trusted s
  JOIN devices d ON d.serialNumber = s.serialNumber
)
SELECT
  r.table_name,
  COUNT(*) AS readings,
  SUM(r.older) AS before_consent
FROM readings r
GROUP BY r.table_name
ORDER BY r.table_name
