import type { DuckDBConnection } from '@duckdb/node-api';
import { PORTABLE } from '../tests/support/portable';
import { parseSelect } from './ast';
import { openDatabase, rowsOf } from './database';
import { portabilityFaults } from './portable-sql';

let db: DuckDBConnection;
beforeAll(async () => {
  db = await openDatabase();
});
afterAll(() => db.closeSync());

/** What is told of a SQL, each fault after its line; the list of functions is cut. */
const told = async (sql: string) =>
  portabilityFaults(sql, await parseSelect(db, sql)).map(
    ({ line, message }) => `${line} ${message.replace(/functions that are: abs, avg, .*$/, '…')}`,
  );

describe('what DuckDB, Spark and Trino share passes', () => {
  test.each([
    'SELECT * FROM t',
    'SELECT t.*, 1 AS one FROM t;',
    'SELECT a FROM t; -- the end',
    'SELECT DISTINCT a FROM t ORDER BY a DESC NULLS LAST LIMIT 3',
    'SELECT a FROM t OFFSET 1',
    'SELECT x.a FROM (SELECT a FROM t) x',
    'WITH c AS (SELECT a FROM t), d(z) AS (SELECT c.a FROM c) SELECT d.z FROM d',
    'SELECT a FROM t UNION ALL SELECT a FROM u EXCEPT SELECT a FROM v ORDER BY a',
    'SELECT x.a FROM (VALUES (1), (2)) AS x(a)',
    'SELECT COUNT(*) AS n, COUNT(DISTINCT a) AS d, SUM(a) FILTER (WHERE a > 1) AS s FROM t',
    'SELECT a, COUNT(*) AS n FROM t GROUP BY a HAVING COUNT(*) > 1 ORDER BY n',
    'SELECT a, COUNT(*) AS n FROM t GROUP BY 1',
    'SELECT ROW_NUMBER() OVER (PARTITION BY a ORDER BY b) AS n, LAG(a) OVER (ORDER BY b) AS l FROM t',
    'SELECT SUM(a) OVER (ORDER BY b ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS s FROM t',
    'SELECT CASE WHEN a IS NULL THEN 0 ELSE -a END AS a, NULLIF(a, 1) AS n FROM t',
    "SELECT a FROM t WHERE a BETWEEN 1 AND 2 AND b LIKE 'x%' AND b NOT LIKE '!%' ESCAPE '!'",
    'SELECT a FROM t WHERE a IN (1, 2) AND a NOT IN (SELECT a FROM u) AND a <> (SELECT MAX(a) FROM u)',
    'SELECT a FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.a = t.a)',
    'SELECT a IS DISTINCT FROM b AS d, a AND NOT b AS e FROM t',
    'SELECT t.a FROM t JOIN u ON u.a = t.a LEFT JOIN v USING (a) CROSS JOIN w',
    'SELECT t.a FROM t RIGHT JOIN u ON u.a = t.a FULL OUTER JOIN v ON v.a = t.a',
    "SELECT ts + INTERVAL '1' DAY AS x, ts - INTERVAL '5' MINUTE AS y, ts + INTERVAL '-1' MONTH AS z FROM t",
    "SELECT TIMESTAMP '2023-05-01 00:00:00.001' AS a, DATE '2023-05-01' AS b, '' AS c, 'a:b -- \"c\"' AS d",
    'SELECT CAST(a AS BIGINT) AS a, CAST(b AS DECIMAL(10, 2)) AS b, CAST(ts AS DATE) AS c FROM t',
    "SELECT CAST(a AS DOUBLE) / b AS r, a / CAST(b AS DOUBLE) AS s, a % 2 AS m, b || 'x' AS c FROM t",
    "SELECT EXTRACT(YEAR\nFROM ts) AS y, date_trunc('DAY', ts) AS d, second(ts) AS s FROM t",
    // Words that are reserved nowhere but look so, and the names of columns that STEDI has.
    'SELECT a.user, a.timestamp FROM t a',
    // Spark's grammar takes it, but not to the fast way of prediction alone.
    'SELECT x * (a - COALESCE(b, 0)) AS d FROM t',
    // The column of the name comes first wherever there is one.
    'SELECT LOWER(name) AS name FROM t WHERE name IS NOT NULL GROUP BY LOWER(name)',
    'SELECT s.n FROM (SELECT a + 1 AS n FROM t) s WHERE s.n > 1',
    'SELECT a + 1 AS n FROM t WHERE EXISTS (SELECT 1 FROM u WHERE n = 2)',
    ...PORTABLE.map(([expression]) => `SELECT ${expression} AS made`),
    'SELECT a AS n -- n::b, FROM 1_000 COUNT()\nFROM t WHERE b = \':: "" COUNT()\'',
  ])('%s', async (sql) => {
    expect(await told(sql)).toEqual([]);
  });
});

test.each(PORTABLE)('on DuckDB %s is %s', async (expression, value) => {
  expect(await rowsOf(db, `SELECT CAST(${expression} AS VARCHAR) AS made`)).toEqual([{ made: value }]);
});

const FUNCTION = 'is not the same in DuckDB, Spark and Trino; …';
const STAR = "* with EXCLUDE, REPLACE or COLUMNS(), and ORDER BY ALL, are DuckDB's own; name the columns";
const CAST = 'cast to BIGINT, INTEGER, SMALLINT, DOUBLE, BOOLEAN, DATE, TIMESTAMP, DECIMAL';
const BRACKETS =
  "reading an element or a field in brackets is DuckDB's own; contracts hold plain values only";
const SAMPLE = 'SAMPLE is written differently in every engine';
const DIVISION =
  'division of whole numbers truncates in Trino and does not elsewhere; write CAST(a AS DOUBLE) / b';
const FROM_FIRST = "FROM without a SELECT before it is DuckDB's own; begin with SELECT";
const BY_NAME = "UNION BY NAME is DuckDB's own; list the columns";
const ANY = 'a comparison with ANY or ALL is not in every engine; write IN or EXISTS';
const REGEX = 'a regular expression is written differently in every engine; write LIKE';
const EXISTS = 'is not in every engine; write EXISTS or NOT EXISTS';
const LAMBDA = "lambda is DuckDB's own; write it in standard SQL";
const aliasOf = (name: string) =>
  `${name} is the name that this SELECT gives to an expression, which Trino knows in ORDER BY only; repeat the expression (or write table.column for a column of that name)`;
const quoted = (name: string) =>
  `"${name}" is a string in Spark; leave the quotes out, or give the table an alias and write alias.column`;
const escaped = (text: string) =>
  `${text} is another text in Spark, which reads \\ as an escape and '' as nothing; write a string without them`;

describe('what one of them does not know, or reads otherwise, is told with its line', () => {
  test.each<[string, string[]]>([
    // Functions.
    ['SELECT\n  list_sum(a) AS s\nFROM t', [`2 list_sum() ${FUNCTION}`]],
    ["SELECT strftime(ts, '%Y') AS y FROM t", [`1 strftime() ${FUNCTION}`]],
    ['SELECT now() AS n, random() AS r', [`1 now() ${FUNCTION}`, `1 random() ${FUNCTION}`]],
    [
      'SELECT greatest(a, 1) AS x,\nconcat(a, b) AS y, least(COALESCE(a, b), NULL) AS z FROM t',
      [
        '1 greatest() of a NULL is not the same in DuckDB, Spark and Trino; give every argument a value: COALESCE(a, 0)',
        '2 concat() of a NULL is not the same in DuckDB, Spark and Trino; write a || b, which is NULL where one is, or give every argument a value: COALESCE(a, 0)',
        '2 least() of a NULL is not the same in DuckDB, Spark and Trino; give every argument a value: COALESCE(a, 0)',
      ],
    ],
    [
      'SELECT ROUND(a, 2) AS x, ROUND(CAST(a AS DOUBLE), 1) AS y FROM t',
      [
        '1 ROUND to digits of a double is not the same in DuckDB, Spark and Trino; write ROUND(CAST(a AS DECIMAL(18, 4)), 2)',
        '1 ROUND to digits of a double is not the same in DuckDB, Spark and Trino; write ROUND(CAST(a AS DECIMAL(18, 4)), 2)',
      ],
    ],
    [
      "SELECT date_diff('day', a, b) AS x FROM t",
      [
        '1 the time between two instants is a function of its own in every engine; write EXTRACT(DAY FROM CAST(b AS TIMESTAMP) - CAST(a AS TIMESTAMP)), whole days from a to b',
      ],
    ],
    ['SELECT SUM(list_sum(a)) OVER () AS s FROM t', [`1 list_sum() ${FUNCTION}`]],
    ['SELECT unnest(a) AS a FROM t', [`1 unnest() ${FUNCTION}`]],
    [
      "SELECT to_days(1) AS x, date_part('day', ts) AS y FROM t",
      [`1 to_days() ${FUNCTION}`, `1 date_part() ${FUNCTION}`],
    ],
    ['SELECT COUNT( ) AS n FROM t', ["1 COUNT() is not Spark's; write COUNT(*)"]],
    [
      'SELECT EXTRACT(EPOCH FROM ts) AS x FROM t',
      [
        '1 EXTRACT of epoch is not the same everywhere; parts that are: year, quarter, month, week, day, hour, minute',
      ],
    ],
    [
      "SELECT date_trunc('decade', ts) AS x, date_trunc(b, ts) AS y FROM t",
      [
        '1 date_trunc of decade is not the same everywhere; units that are: year, quarter, month, week, day, hour, minute, second',
        '1 date_trunc of what is no constant is not the same everywhere; units that are: year, quarter, month, week, day, hour, minute, second',
      ],
    ],
    // Operators.
    ['SELECT a /\n 2 AS h FROM t', [`1 ${DIVISION}`]],
    ['SELECT CAST(a AS BIGINT) / 2 AS h FROM t', [`1 ${DIVISION}`]],
    ['SELECT a // 2 AS h FROM t', ["1 // is DuckDB's own; write FLOOR(CAST(a AS DOUBLE) / b)"]],
    ['SELECT a ** 2 AS h FROM t', ["1 the operator ** is DuckDB's own; write it in standard SQL"]],
    ["SELECT a FROM t WHERE b ILIKE 'x'", ["1 ILIKE is not Trino's; write LOWER(a) LIKE b"]],
    ["SELECT a FROM t WHERE b NOT ILIKE 'x'", ["1 NOT ILIKE is not Trino's; write LOWER(a) NOT LIKE b"]],
    ["SELECT a FROM t WHERE b GLOB 'x'", ["1 GLOB is DuckDB's own; write LIKE"]],
    ["SELECT a FROM t WHERE b ~ 'x'", [`1 ${REGEX}`]],
    ["SELECT a FROM t WHERE b SIMILAR TO 'x'", [`1 ${REGEX}`]],
    ['SELECT a FROM t WHERE a = ANY (SELECT a FROM u)', [`1 ${ANY}`]],
    ['SELECT a FROM t\nWHERE a > ALL (SELECT a FROM u)', [`2 ${ANY}`]],
    [
      'SELECT a FROM t WHERE (a, b) IN (SELECT a, b FROM u)',
      ['1 a row of several values is not the same everywhere; compare the columns one by one, with EXISTS'],
    ],
    // Types and literals.
    ['SELECT a\n::BIGINT AS a FROM t', ["2 a::TYPE is DuckDB's own; write CAST(a AS TYPE)"]],
    [
      'SELECT TRY_CAST(a AS BIGINT) AS a FROM t',
      ['1 TRY_CAST is not in every engine; the contract checks types, so use CAST'],
    ],
    [
      'SELECT CAST(a AS VARCHAR) AS a FROM t',
      [`1 CAST to VARCHAR has another name or meaning elsewhere; ${CAST}`],
    ],
    [
      'SELECT CAST(a AS HUGEINT) AS a FROM t',
      [`1 CAST to HUGEINT has another name or meaning elsewhere; ${CAST}`],
    ],
    [
      'SELECT CAST(a AS DECIMAL) AS a FROM t',
      ['1 DECIMAL has other digits in every engine; write DECIMAL(18, 3)'],
    ],
    [
      "SELECT INTERVAL '1 day' AS i",
      ["1 an INTERVAL is written INTERVAL '1' DAY, with its unit outside the quotes"],
    ],
    [
      'SELECT ts + INTERVAL 1 DAY AS i FROM t',
      ["1 an INTERVAL is written INTERVAL '1' DAY, with its number in quotes"],
    ],
    [
      "SELECT ts + INTERVAL '2' WEEK AS i FROM t",
      ["1 an INTERVAL of weeks is not Trino's; write it in days"],
    ],
    [
      "SELECT TIMESTAMP '2023-05-01T00:00:00Z' AS x, DATE '2023-5-1' AS y",
      [
        "1 '2023-05-01T00:00:00Z' is no TIMESTAMP to every engine; write TIMESTAMP 'YYYY-MM-DD hh:mm:ss'",
        "1 '2023-5-1' is no DATE to every engine; write DATE 'YYYY-MM-DD'",
      ],
    ],
    ["SELECT\n 'it''s' AS s, '\\d' AS d", [`2 ${escaped("'it''s'")}`, `2 ${escaped("'\\d'")}`]],
    ['SELECT 1_000 AS n', ['1 a number with _ between its digits is a name to Spark; leave them out']],
    ['SELECT [1, 2] AS l', ["1 a list is DuckDB's own; contracts hold plain values only"]],
    ["SELECT {'k': a} AS s FROM t", ["1 a struct is DuckDB's own; contracts hold plain values only"]],
    ['SELECT a[1] AS x, b[1:2] AS y FROM t', [`1 ${BRACKETS}`, `1 ${BRACKETS}`]],
    ['SELECT list_transform(a, x -> x + 1) AS l FROM t', [`1 list_transform() ${FUNCTION}`, `1 ${LAMBDA}`]],
    ['SELECT list_transform(a, lambda x : x) AS l FROM t', [`1 list_transform() ${FUNCTION}`, `1 ${LAMBDA}`]],
    ['SELECT $1 AS x', ["1 parameter is DuckDB's own; write it in standard SQL"]],
    ['SELECT #1 FROM t', ["1 positional reference is DuckDB's own; write it in standard SQL"]],
    // Names.
    ['SELECT\n  -- the "first"\n  "a" AS b,\n  c AS "d"\nFROM t', [`3 ${quoted('a')}`, `4 ${quoted('d')}`]],
    ['SELECT a + 1 AS k\nFROM t\nGROUP BY K', [`3 ${aliasOf('K')}`]],
    ['SELECT a + 1 AS k FROM t\nWHERE ABS(k) > 1', [`2 ${aliasOf('k')}`]],
    ['SELECT a + 1 AS k,\n k + 1 AS l FROM t', [`2 ${aliasOf('k')}`]],
    ['SELECT a, COUNT(*) AS n FROM t GROUP BY a HAVING n > 1', [`1 ${aliasOf('n')}`]],
    ['SELECT x.a FROM (\n  SELECT a AS k FROM t WHERE k > 1\n) x', [`2 ${aliasOf('k')}`]],
    // Clauses.
    ['-- a comment\nFROM t', [`2 ${FROM_FIRST}`]],
    ['FROM t SELECT a', [`1 ${FROM_FIRST}`]],
    ['SELECT a FROM (\n  FROM t)', [`2 ${FROM_FIRST}`]],
    ['SELECT * EXCLUDE (a) FROM t', [`1 ${STAR}`]],
    ['SELECT * REPLACE (a + 1 AS a) FROM t', [`1 ${STAR}`]],
    ["SELECT COLUMNS('a.*') FROM t", [`1 ${STAR}`]],
    ['SELECT a FROM t ORDER BY ALL', [`1 ${STAR}`]],
    ['SELECT a, COUNT(*) AS n FROM t GROUP BY ALL', ["1 GROUP BY ALL is not Trino's; name the columns"]],
    ['SELECT DISTINCT ON (a) a, b FROM t', ["1 DISTINCT ON is DuckDB's own; use ROW_NUMBER()"]],
    [
      'SELECT a\nFROM t\nQUALIFY ROW_NUMBER() OVER (ORDER BY a) = 1',
      ['3 QUALIFY is not in every engine; filter in an outer SELECT'],
    ],
    ['SELECT a FROM t USING SAMPLE 10', [`1 ${SAMPLE}`]],
    ['SELECT a FROM t TABLESAMPLE 10%', [`1 ${SAMPLE}`]],
    ['SELECT t.a FROM t ASOF JOIN u ON t.a >= u.a', ["1 ASOF JOIN is DuckDB's own"]],
    ['SELECT t.a FROM t POSITIONAL JOIN u', ["1 POSITIONAL JOIN is DuckDB's own"]],
    ['SELECT t.a FROM t SEMI JOIN u ON t.a = u.a', [`1 SEMI JOIN ${EXISTS}`]],
    ['SELECT t.a FROM t ANTI JOIN u ON t.a = u.a', [`1 ANTI JOIN ${EXISTS}`]],
    ['SELECT t.a FROM t NATURAL JOIN u', ["1 NATURAL JOIN is not Trino's; write ON or USING"]],
    ['SELECT a FROM t UNION BY NAME SELECT a FROM u', [`1 ${BY_NAME}`]],
    ['SELECT a FROM range(3) r(a)', [`1 range() ${FUNCTION}`]],
    ['SELECT * FROM (DESCRIBE t)', ["1 DESCRIBE, SHOW and SUMMARIZE in FROM are DuckDB's own"]],
    // What only the grammars of the two find.
    ['SELECT a FROM t\nLIMIT 3 OFFSET 2', [`2 Trino's SQL does not allow "OFFSET" here`]],
    [
      'SELECT a,\nFROM t',
      [`2 Spark's SQL does not allow "FROM" here`, `2 Trino's SQL does not allow "FROM" here`],
    ],
    [
      'WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT n FROM r',
      [`1 Spark's SQL does not allow "r" here`],
    ],
    ['SELECT x.order FROM t x', [`1 Trino's SQL does not allow "order" here`]],
    ['SELECT a FROM t WHERE a == 1', [`1 Trino's SQL does not allow "=" here`]],
    ['SELECT MAX(a ORDER BY b) AS x FROM t', [`1 Spark's SQL does not allow "ORDER" here`]],
    ['SELECT a FROM t\nFETCH FIRST 3 ROWS ONLY', [`2 Spark's SQL does not allow "FIRST" here`]],
  ])('%s', async (sql, faults) => {
    expect(await told(sql)).toEqual(faults);
  });
});

test('lines are those of the text, whatever letters stand before', async () => {
  const sql = '-- häß 😀 ę\nSELECT -- ä\n  1 AS ä,\n\n  now()\n\n\n\n\n  AS n';
  expect(await told(sql)).toEqual([`5 now() ${FUNCTION}`]);
});
