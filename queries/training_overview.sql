-- How large machine_learning_curated is: rows, subjects, devices, instants, and from when to when.
SELECT
  COUNT(*) AS records,
  COUNT(DISTINCT m.subject) AS subjects,
  COUNT(DISTINCT m.device) AS devices,
  COUNT(DISTINCT m.sensorReadingTime) AS instants,
  MIN(m.sensorReadingTime) AS first_reading,
  MAX(m.sensorReadingTime) AS last_reading
FROM machine_learning_curated m
