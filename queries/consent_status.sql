-- How many customers agreed to research, withdrew, declined or were never asked, by their landing records.
-- A record that does not agree withdraws those of its registration before it and of its instant, as in
-- customer_trusted. A consent dated in the future counts here as given.
WITH records AS (
  SELECT
    c.email,
    c.lastUpdateDate AS updated,
    c.shareWithResearchAsOfDate AS since,
    MAX(CASE WHEN c.shareWithResearchAsOfDate > 0 THEN NULL ELSE c.lastUpdateDate END)
      OVER (PARTITION BY c.email, c.registrationDate) AS last_refusal
  FROM customer_landing c
),
customers AS (
  SELECT
    r.email,
    MAX(CASE WHEN r.since > 0 AND (r.last_refusal IS NULL OR r.updated > r.last_refusal) THEN 1 ELSE 0 END) AS agrees,
    MAX(CASE WHEN r.since > 0 THEN 1 ELSE 0 END) AS agreed,
    COUNT(r.since) AS answers,
    COUNT(*) AS records
  FROM records r
  GROUP BY r.email
),
labelled AS (
  SELECT
    CASE
      WHEN c.agrees = 1 THEN 'agreed'
      WHEN c.agreed = 1 THEN 'withdrew'
      WHEN c.answers > 0 THEN 'declined: consent is 0'
      ELSE 'no consent given'
    END AS status,
    c.records
  FROM customers c
)
SELECT
  l.status,
  COUNT(*) AS customers,
  SUM(l.records) AS records
FROM labelled l
GROUP BY l.status
ORDER BY l.status
