-- How many rows each table holds, in the order in which they are made.
WITH counted AS (
  SELECT 1 AS step, 'customer_landing' AS table_name, COUNT(*) AS records FROM customer_landing
  UNION ALL
  SELECT 2 AS step, 'accelerometer_landing' AS table_name, COUNT(*) AS records FROM accelerometer_landing
  UNION ALL
  SELECT 3 AS step, 'step_trainer_landing' AS table_name, COUNT(*) AS records FROM step_trainer_landing
  UNION ALL
  SELECT 4 AS step, 'customer_trusted' AS table_name, COUNT(*) AS records FROM customer_trusted
  UNION ALL
  SELECT 5 AS step, 'accelerometer_trusted' AS table_name, COUNT(*) AS records FROM accelerometer_trusted
  UNION ALL
  SELECT 6 AS step, 'customers_curated' AS table_name, COUNT(*) AS records FROM customers_curated
  UNION ALL
  SELECT 7 AS step, 'step_trainer_trusted' AS table_name, COUNT(*) AS records FROM step_trainer_trusted
  UNION ALL
  SELECT 8 AS step, 'machine_learning_curated' AS table_name, COUNT(*) AS records FROM machine_learning_curated
)
SELECT
  c.table_name,
  c.records
FROM counted c
ORDER BY c.step
