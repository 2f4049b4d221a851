-- How many customers and records share each serial number in landing: more than one is the fulfilment defect.
SELECT
  c.serialNumber,
  COUNT(DISTINCT c.email) AS customers,
  COUNT(*) AS records
FROM customer_landing c
GROUP BY c.serialNumber
ORDER BY customers DESC, records DESC, c.serialNumber
