-- Whether the distance to the nearest object differs between still and strong movement, by whole g of acceleration.
WITH movements AS (
  SELECT
    CAST(FLOOR(SQRT(m.x * m.x + m.y * m.y + m.z * m.z)) AS BIGINT) AS from_g,
    m.distanceFromObject AS distance
  FROM machine_learning_curated m
)
SELECT
  m.from_g,
  COUNT(*) AS records,
  MIN(m.distance) AS least_distance,
  -- By FLOOR, as each engine has a way of its own to round a tie.
  CAST(CAST(FLOOR(AVG(m.distance) * 1000 + 0.5) AS DOUBLE) / 1000 AS DECIMAL(18, 3)) AS mean_distance,
  MAX(m.distance) AS greatest_distance
FROM movements m
GROUP BY m.from_g
ORDER BY m.from_g
