-- Customers who agreed to share their data for research. A record of the same e-mail that does not agree
-- withdraws the consent of those before it, and of one of the same instant: where it is unclear, nobody agreed.
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
WHERE c.shareWithResearchAsOfDate > TIMESTAMP '1970-01-01 00:00:00'
  AND NOT EXISTS (
    SELECT 1
    FROM customer_landing w
    WHERE w.email = c.email
      AND w.lastUpdateDate >= c.lastUpdateDate
      AND (
        w.shareWithResearchAsOfDate IS NULL
        OR w.shareWithResearchAsOfDate = TIMESTAMP '1970-01-01 00:00:00'
      )
  )
