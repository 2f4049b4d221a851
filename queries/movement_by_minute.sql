-- What each subject did minute by minute (UTC): the readings, their mean distance and mean acceleration in g.
SELECT
  m.subject,
  DATE_TRUNC('minute', m.sensorReadingTime) AS minute_start,
  COUNT(*) AS records,
  -- By FLOOR, as each engine has a way of its own to round a tie.
  CAST(CAST(FLOOR(AVG(m.distanceFromObject) * 1000 + 0.5) AS DOUBLE) / 1000 AS DECIMAL(18, 3)) AS mean_distance,
  CAST(
    CAST(FLOOR(AVG(SQRT(m.x * m.x + m.y * m.y + m.z * m.z)) * 1000 + 0.5) AS DOUBLE) / 1000 AS DECIMAL(18, 3)
  ) AS mean_acceleration
FROM machine_learning_curated m
GROUP BY m.subject, DATE_TRUNC('minute', m.sensorReadingTime)
ORDER BY m.subject, minute_start
