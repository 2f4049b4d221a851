-- What was refused, by source and reason, with the place of one.
SELECT
  'order_landing' AS table_name,
  q.reason,
  COUNT(*) AS records,
  MIN(q.file) AS a_file
FROM order_landing_quarantine q
GROUP BY q.reason
ORDER BY records DESC, q.reason
