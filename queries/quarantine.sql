-- How many lines of each source were refused, for what reason, and in how many files.
-- The text of the lines stays where it is: it may hold names and addresses.
WITH refused AS (
  SELECT 'customer_landing' AS table_name, q.reason, q.file FROM customer_landing_quarantine q
  UNION ALL
  SELECT 'accelerometer_landing' AS table_name, q.reason, q.file FROM accelerometer_landing_quarantine q
  UNION ALL
  SELECT 'step_trainer_landing' AS table_name, q.reason, q.file FROM step_trainer_landing_quarantine q
)
SELECT
  r.table_name,
  r.reason,
  COUNT(*) AS refused_lines,
  COUNT(DISTINCT r.file) AS files
FROM refused r
GROUP BY r.table_name, r.reason
ORDER BY r.table_name, refused_lines DESC, r.reason
