-- How many pairs each pairing rule gives, and how many of the rule timestamp are of the wrong customer.
-- A wrong pair holds one customer's step and another's movement. Of an ambiguous pair that cannot be told: several
-- customers of the device moved at its instant. timestamp_pairs = customer_pairs + ambiguous_pairs + wrong_pairs.
-- Pairs are counted by multiplying numbers of readings, never made: there can be far more of them than readings.
WITH owners AS (
  SELECT DISTINCT c.serialNumber, c.email
  FROM customers_curated c
),
steps AS (
  SELECT s.serialNumber, s.sensorReadingTime AS instant, COUNT(*) AS readings
  FROM step_trainer_trusted s
  GROUP BY s.serialNumber, s.sensorReadingTime
),
movements AS (
  SELECT a.timestamp AS instant, COUNT(*) AS readings
  FROM accelerometer_trusted a
  GROUP BY a.timestamp
),
own_movements AS (
  SELECT o.serialNumber, a.timestamp AS instant, COUNT(*) AS readings, COUNT(DISTINCT a.user) AS customers
  FROM accelerometer_trusted a
  JOIN owners o ON o.email = a.user
  GROUP BY o.serialNumber, a.timestamp
),
pairs AS (
  SELECT
    CASE WHEN o.customers = 1 THEN s.readings * o.readings ELSE 0 END AS customer_pairs,
    s.readings * m.readings AS timestamp_pairs,
    s.readings * m.readings - s.readings * COALESCE(o.readings, 0) AS wrong_pairs,
    CASE WHEN o.customers > 1 THEN s.readings * o.readings ELSE 0 END AS ambiguous_pairs
  FROM steps s
  JOIN movements m ON m.instant = s.instant
  LEFT JOIN own_movements o ON o.serialNumber = s.serialNumber AND o.instant = s.instant
)
SELECT
  CAST(COALESCE(SUM(p.customer_pairs), 0) AS BIGINT) AS customer_pairs,
  CAST(COALESCE(SUM(p.timestamp_pairs), 0) AS BIGINT) AS timestamp_pairs,
  CAST(COALESCE(SUM(p.wrong_pairs), 0) AS BIGINT) AS wrong_pairs,
  CAST(COALESCE(SUM(p.ambiguous_pairs), 0) AS BIGINT) AS ambiguous_pairs
FROM pairs p
