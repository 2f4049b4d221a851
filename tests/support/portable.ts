/** Expressions that are to give the same in DuckDB, Spark and Trino, with what they give as text. */
export const PORTABLE: readonly (readonly [expression: string, value: string | null])[] = [
  ['CAST(ROUND(CAST(2.675 AS DECIMAL(18, 4)), 2) AS DECIMAL(18, 2))', '2.68'],
  ['CAST(ROUND(CAST(-2.675 AS DECIMAL(18, 4)), 2) AS DECIMAL(18, 2))', '-2.68'],
  ['CAST(ROUND(CAST(-2.5 AS DOUBLE)) AS BIGINT)', '-3'],
  ["CONCAT(COALESCE(NULLIF('a', 'a'), 'b'), 'c')", 'bc'],
  ["'a' || NULLIF('b', 'b')", null],
  ['GREATEST(COALESCE(NULLIF(1, 1), 0), 3, 2)', '3'],
  ['LEAST(COALESCE(NULLIF(1, 1), 7), 8)', '7'],
  [days('2026-03-01 23:00:00', '2026-03-03 22:00:00'), '1'],
  [days('2026-03-03 22:00:00', '2026-03-01 23:00:00'), '-1'],
  [days('2024-02-28 00:00:00', '2024-03-01 00:00:00'), '2'],
  [
    'COALESCE(NULLIF(CAST(1.50 AS DECIMAL(9, 2)), CAST(1.5 AS DECIMAL(9, 2))), CAST(2.5 AS DECIMAL(9, 2)))',
    '2.50',
  ],
  [
    '(SELECT MAX(w.n) FROM (SELECT SUM(v.x) OVER (ORDER BY v.x ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS n FROM (VALUES (1), (2), (4)) AS v(x)) w)',
    '6',
  ],
  [
    '(SELECT MAX(w.n) FROM (SELECT DENSE_RANK() OVER (ORDER BY v.x DESC) AS n FROM (VALUES (1), (2), (2)) AS v(x)) w)',
    '2',
  ],
  [
    '(SELECT MIN(w.n) FROM (SELECT LAG(v.x, 1, -5) OVER (ORDER BY v.x) AS n FROM (VALUES (1), (2)) AS v(x)) w)',
    '-5',
  ],
];

function days(from: string, to: string) {
  return `EXTRACT(DAY FROM CAST(TIMESTAMP '${to}' AS TIMESTAMP) - CAST(TIMESTAMP '${from}' AS TIMESTAMP))`;
}
