-- Whether anything in trusted belongs to someone who did not agree: every rule should have 0 violations.
-- The first rule asks the landing records, so it also finds consent that was withdrawn since trusted was made.
WITH withdrawals AS (
  SELECT w.email, w.registrationDate, MAX(w.lastUpdateDate) AS latest
  FROM customer_landing w
  WHERE COALESCE(w.shareWithResearchAsOfDate, 0) = 0
  GROUP BY w.email, w.registrationDate
),
agreeing AS (
  SELECT DISTINCT a.email, a.serialNumber
  FROM customer_landing a
  LEFT JOIN withdrawals w ON w.email = a.email AND w.registrationDate = a.registrationDate
  WHERE a.shareWithResearchAsOfDate > 0 AND (w.latest IS NULL OR a.lastUpdateDate > w.latest)
),
violations AS (
  SELECT 'customer_trusted: the customer agreed and did not withdraw' AS rule, COUNT(*) AS violations
  FROM customer_trusted c
  WHERE NOT EXISTS (SELECT 1 FROM agreeing g WHERE g.email = c.email AND g.serialNumber = c.serialNumber)
  UNION ALL
  SELECT 'customer_trusted: the consent has a date' AS rule, COUNT(*) AS violations
  FROM customer_trusted c
  WHERE c.shareWithResearchAsOfDate IS NULL OR c.shareWithResearchAsOfDate <= TIMESTAMP '1970-01-01 00:00:00'
  UNION ALL
  SELECT 'accelerometer_trusted: the user is in customer_trusted' AS rule, COUNT(*) AS violations
  FROM accelerometer_trusted a
  WHERE NOT EXISTS (SELECT 1 FROM customer_trusted c WHERE c.email = a.user)
  UNION ALL
  SELECT 'customers_curated: the customer is in customer_trusted' AS rule, COUNT(*) AS violations
  FROM customers_curated u
  WHERE NOT EXISTS (SELECT 1 FROM customer_trusted c WHERE c.email = u.email)
  UNION ALL
  SELECT 'step_trainer_trusted: the device belongs to a customer in customer_trusted' AS rule, COUNT(*) AS violations
  FROM step_trainer_trusted s
  WHERE NOT EXISTS (SELECT 1 FROM customer_trusted c WHERE c.serialNumber = s.serialNumber)
)
SELECT
  v.rule,
  v.violations
FROM violations v
ORDER BY v.rule
