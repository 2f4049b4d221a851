-- Which customers agreed but have no accelerometer readings, so that customers_curated leaves them out.
SELECT
  c.email,
  COUNT(*) AS records,
  MIN(c.shareWithResearchAsOfDate) AS agreed_since
FROM customer_trusted c
WHERE NOT EXISTS (SELECT 1 FROM accelerometer_trusted a WHERE a.user = c.email)
GROUP BY c.email
ORDER BY c.email
