-- How the training rows spread over subjects: a model learns most from those with the largest share.
WITH subjects AS (
  SELECT m.subject, COUNT(*) AS records, COUNT(DISTINCT m.device) AS devices
  FROM machine_learning_curated m
  GROUP BY m.subject
)
SELECT
  s.subject,
  s.records,
  -- By FLOOR, as each engine has a way of its own to round a tie.
  CAST(
    CAST(FLOOR(CAST(100000 * s.records AS DOUBLE) / SUM(s.records) OVER () + 0.5) AS DOUBLE) / 1000 AS DECIMAL(6, 3)
  ) AS percent_of_records,
  s.devices
FROM subjects s
ORDER BY s.records DESC, s.subject
