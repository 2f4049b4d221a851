-- How many customers registered, agreed to research, have readings, and are in the training table, step by step.
SELECT '1 registered' AS stage, COUNT(DISTINCT c.email) AS customers FROM customer_landing c
UNION ALL
SELECT '2 agreed to research' AS stage, COUNT(DISTINCT c.email) AS customers FROM customer_trusted c
UNION ALL
SELECT '3 with readings' AS stage, COUNT(DISTINCT c.email) AS customers FROM customers_curated c
UNION ALL
SELECT '4 in the training table' AS stage, COUNT(DISTINCT m.subject) AS customers FROM machine_learning_curated m
ORDER BY stage
