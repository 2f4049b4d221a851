-- How many accelerometer readings each customer has a day (UTC), and from when to when.
SELECT
  a.user AS email,
  CAST(a.timestamp AS DATE) AS reading_day,
  COUNT(*) AS readings,
  COUNT(DISTINCT a.timestamp) AS instants,
  MIN(a.timestamp) AS first_reading,
  MAX(a.timestamp) AS last_reading
FROM accelerometer_trusted a
GROUP BY a.user, CAST(a.timestamp AS DATE)
ORDER BY email, reading_day
