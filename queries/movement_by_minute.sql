-- What each subject did minute by minute (UTC): the readings, their mean distance and mean acceleration in g.
SELECT
  m.subject,
  DATE_TRUNC('minute', m.sensorReadingTime) AS minute_start,
  COUNT(*) AS records,
  CAST(AVG(m.distanceFromObject) AS DECIMAL(18, 3)) AS mean_distance,
  CAST(AVG(SQRT(m.x * m.x + m.y * m.y + m.z * m.z)) AS DECIMAL(18, 3)) AS mean_acceleration
FROM machine_learning_curated m
GROUP BY m.subject, DATE_TRUNC('minute', m.sensorReadingTime)
ORDER BY m.subject, minute_start
