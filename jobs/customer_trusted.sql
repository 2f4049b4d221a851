-- Records of customers who agree, by the time of the run, to share their data for research. A record that does not
-- agree withdraws what its registration (e-mail and time of it) said before it and at its instant: where it is unclear,
-- nobody agreed. One whose consent is dated later than the run does not agree yet, and so withdraws itself too.
-- Grouped before it is joined: one customer may have very many records.
WITH withdrawals AS (
  SELECT w.email, w.registrationDate, MAX(w.lastUpdateDate) AS latest
  FROM customer_landing w
  WHERE w.shareWithResearchAsOfDate IS NULL
    OR w.shareWithResearchAsOfDate = TIMESTAMP '1970-01-01 00:00:00'
    OR w.shareWithResearchAsOfDate > CAST(:run_time AS TIMESTAMP)
  GROUP BY w.email, w.registrationDate
)
SELECT
  c.customerName,
  c.email,
  c.phone,
  c.birthDay,
  c.serialNumber,
  c.registrationDate,
  c.lastUpdateDate,
  c.shareWithResearchAsOfDate,
  c.shareWithPublicAsOfDate,
  c.shareWithFriendsAsOfDate
FROM customer_landing c
LEFT JOIN withdrawals w ON w.email = c.email AND w.registrationDate = c.registrationDate
WHERE c.shareWithResearchAsOfDate > TIMESTAMP '1970-01-01 00:00:00'
  AND (w.latest IS NULL OR c.lastUpdateDate > w.latest)
