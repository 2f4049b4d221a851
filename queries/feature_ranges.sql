-- How each feature of machine_learning_curated is distributed: least, mean, greatest value and deviation.
WITH features AS (
  SELECT 1 AS place, 'distanceFromObject' AS feature, CAST(m.distanceFromObject AS DOUBLE) AS reading
  FROM machine_learning_curated m
  UNION ALL
  SELECT 2 AS place, 'x' AS feature, m.x AS reading FROM machine_learning_curated m
  UNION ALL
  SELECT 3 AS place, 'y' AS feature, m.y AS reading FROM machine_learning_curated m
  UNION ALL
  SELECT 4 AS place, 'z' AS feature, m.z AS reading FROM machine_learning_curated m
)
SELECT
  f.feature,
  MIN(f.reading) AS least,
  -- By FLOOR, as each engine has a way of its own to round a tie.
  CAST(CAST(FLOOR(AVG(f.reading) * 1000 + 0.5) AS DOUBLE) / 1000 AS DECIMAL(18, 3)) AS mean,
  MAX(f.reading) AS greatest,
  CAST(CAST(FLOOR(STDDEV_POP(f.reading) * 1000 + 0.5) AS DOUBLE) / 1000 AS DECIMAL(18, 3)) AS deviation
FROM features f
GROUP BY f.place, f.feature
ORDER BY f.place
