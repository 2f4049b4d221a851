import { LakeError } from '../engine';
import { failure } from './athena-failure';

const ASKED = { region: 'us-east-1', profile: 'analyst' };
const told = (reason: string, sql = 'SELECT 1', file?: string) => {
  const error = failure(reason, { sql, file, asked: ASKED });
  expect(error).toBeInstanceOf(LakeError);
  return (error as Error).message;
};

test('names the line of the file, with its text and a mark under the place', () => {
  const sql = '-- What.\nSELECT\n\tt.emial\nFROM t';
  expect(
    told("COLUMN_NOT_FOUND: line 3:2: Column 't.emial' cannot be resolved", sql, 'queries/what.sql'),
  ).toBe("queries/what.sql:3: Column 't.emial' cannot be resolved (COLUMN_NOT_FOUND)\n  \tt.emial\n  \t^");
});

test('names the line of a query without a file', () => {
  expect(told("line 1:8: mismatched input ','", 'SELECT ,')).toBe(
    "line 1 of the query: mismatched input ','\n  SELECT ,\n         ^",
  );
});

test('quotes no line that is not there', () => {
  expect(told('SYNTAX_ERROR: line 9:1: no', 'SELECT 1')).toBe('line 9 of the query: no (SYNTAX_ERROR)');
});

test.each([
  ["INVALID_CAST_ARGUMENT: Cannot cast 'jane@example.com' to BIGINT", "Cannot cast '…' to BIGINT"],
  ["INVALID_CAST_ARGUMENT: Cannot cast 'O'Brien's' to BIGINT", "Cannot cast '…' to BIGINT"],
  ['INVALID_CAST_ARGUMENT: Value cannot be cast to date: Jane Doe', 'Value cannot be cast to date: …'],
  ['INVALID_FUNCTION_ARGUMENT: Invalid format: "Jane Doe"', 'Invalid format: …'],
  [
    'HIVE_BAD_DATA: Error parsing field value \'5550100\' for field 3: For input string: "5550100"',
    "Error parsing field value '…'",
  ],
  ['NUMERIC_VALUE_OUT_OF_RANGE: bigint addition overflow: 5550100 + 1', 'bigint addition overflow: …'],
  ['GENERIC_INTERNAL_ERROR: value 5550100 of jane@example.com', 'value … of …'],
  ['GENERIC_USER_ERROR: Jane', 'what Athena says is left out, as it may quote data'],
  ['Something of Jane: Doe', 'Something of Jane: …'],
])('%s tells no data', (reason, said) => {
  const code = /^[A-Z_]+(?=:)/.exec(reason)?.[0];
  expect(told(reason)).toBe(`the query failed: ${said}${code ? ` (${code})` : ''}`);
});

test.each([
  ['EXCEEDED_LOCAL_MEMORY_LIMIT: Query exceeded per-node memory limit of 10GB', 'limit of 10GB'],
  [
    "TABLE_NOT_FOUND: Table 'awsdatacatalog.lake.nothing' does not exist",
    "Table 'awsdatacatalog.lake.nothing'",
  ],
  ['QUERY_TIMEOUT: Query timeout after 30 minutes', '30 minutes'],
])('%s is told whole', (reason, said) => {
  expect(told(reason)).toContain(said);
});

test('a value that the SQL itself holds is told', () => {
  const reason = "INVALID_CAST_ARGUMENT: Cannot cast 'it''s' to BIGINT";
  expect(
    told("INVALID_CAST_ARGUMENT: Cannot cast 'abc' to BIGINT", "SELECT CAST('abc' AS BIGINT)"),
  ).toContain("Cannot cast 'abc' to BIGINT");
  expect(told(reason, "SELECT 'abc', 'it'")).toContain("Cannot cast '…' to BIGINT");
  expect(told("INVALID_CAST_ARGUMENT: Cannot cast 'ab' to BIGINT", "SELECT 'abc'")).toContain("'…'");
});

test('says no more than the first line of a reason', () => {
  expect(told('EXCEEDED_TIME: too long\nJane')).not.toContain('Jane');
});

test.each([
  'PERMISSION_DENIED: User: arn:aws:sts::123456789012:assumed-role/r/jane is not authorized to perform: glue:GetTable on resource: arn:aws:glue:us-east-1:123456789012:catalog because no policy',
  'COLUMN_NOT_FOUND: jane is not authorized to perform: glue:GetTable on resource: arn:aws:glue:us-east-1:123456789012:catalog',
])('%s is told as a right that lacks', (reason) => {
  const message = told(reason);
  expect(message).toMatch(/^access denied: glue:GetTable on arn:aws:glue:us-east-1:123456789012:catalog/);
  expect(message).not.toMatch(/jane/);
});

test.each([
  [
    'PERMISSION_DENIED: Access Denied: s3://lake-trusted/customer/a.parquet (Service: Amazon S3; Status Code: 403)',
    'access denied: s3:GetObject on s3://lake-trusted/customer/a.parquet (profile analyst)',
  ],
  [
    "PERMISSION_DENIED: Insufficient permissions to execute the query. jane's column",
    'access denied: reading the tables of the query (profile analyst)',
  ],
])('%s says what could not be read', (reason, said) => {
  expect(told(reason)).toBe(`${said}; your role lacks the right to do this`);
});
