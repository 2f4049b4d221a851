-- How the training rows spread over subjects: a model learns most from those with the largest share.
WITH subjects AS (
  SELECT m.subject, COUNT(*) AS records, COUNT(DISTINCT m.device) AS devices
  FROM machine_learning_curated m
  GROUP BY m.subject
)
SELECT
  s.subject,
  s.records,
  CAST(CAST(100 * s.records AS DOUBLE) / SUM(s.records) OVER () AS DECIMAL(6, 3)) AS percent_of_records,
  s.devices
FROM subjects s
ORDER BY s.records DESC, s.subject
