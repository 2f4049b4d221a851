// node bench/plain.cjs DATA OUT [--lenient]: runs plain.sql over the folder DATA, Parquet into OUT, and prints the rows
// of each table as JSON. Lenient, it reads files of any name and leaves out what it can't read. Plain JavaScript, so
// that compiling TypeScript is no part of the baseline.
const { mkdirSync, readFileSync } = require('node:fs');
const { join } = require('node:path');
const { DuckDBInstance } = require('@duckdb/node-api');

const [data, out, lenient] = process.argv.slice(2);
const quoted = (text) => `'${text.replaceAll("'", "''")}'`;

async function main() {
  mkdirSync(out, { recursive: true });
  // As in engines/database.ts.
  const instance = await DuckDBInstance.create(':memory:', { preserve_insertion_order: 'false' });
  const db = await instance.connect();
  const strict = readFileSync(join(__dirname, 'plain.sql'), 'utf8');
  const sql = (lenient ? strict.replaceAll("/*.json', ", "/*', ignore_errors = true, ") : strict)
    .replaceAll(':data ', `${quoted(data)} `)
    .replaceAll(':out ', `${quoted(out)} `);
  const rows = {};
  for (const { 0: statement } of sql.matchAll(/^(?:CREATE|COPY)[^;]*;/gm)) {
    const { rowsChanged } = await db.run(statement);
    const copied = /\/(\w+)\.parquet'\) \(FORMAT/.exec(statement);
    if (copied) rows[copied[1]] = rowsChanged;
  }
  process.stdout.write(`${JSON.stringify(rows)}\n`);
}

main();
