import { blobValue, type DuckDBConnection } from '@duckdb/node-api';
import { PSEUDONYM_MACRO } from '../../model';

const BLOCK_BYTES = 64;

/**
 * Readies the macro `_pseudonym(value)`, the hex digits of HMAC-SHA-256 over the value's UTF-8 bytes (RFC 2104). In
 * SQL, so that any number of values stays out of this process's heap; the key is bound, so that it is in no SQL text.
 * No table of a pipeline can have this name. Key: at most 64 bytes.
 */
export async function readyKey(db: DuckDBConnection, key: Buffer): Promise<void> {
  const pad = (byte: number) => {
    const padded = Buffer.alloc(BLOCK_BYTES);
    key.copy(padded);
    return blobValue(padded.map((b) => b ^ byte));
  };
  await db.run('SET VARIABLE _outer = $1::BLOB', [pad(0x5c)]);
  await db.run('SET VARIABLE _inner = $1::BLOB', [pad(0x36)]);
  await db.run(PSEUDONYM_MACRO);
}

/**
 * Readies the macro, and the temporary table `_pseudonyms (value, pseudonym)` of the values that the query `likely`
 * gives: looking a value up takes a fraction of hashing it once a row.
 */
export async function readyPseudonyms(db: DuckDBConnection, likely: string, key: Buffer): Promise<void> {
  await readyKey(db, key);
  await db.run(
    `CREATE OR REPLACE TEMP TABLE _pseudonyms AS
    SELECT value, _pseudonym(value) AS pseudonym FROM (SELECT DISTINCT value FROM (${likely}) WHERE value IS NOT NULL)`,
  );
}

/** The pseudonym of a value as an expression, and the join that it needs. `name` tells several of a query apart. */
export const pseudonymOf = (value: string, name: string) => ({
  expression: `COALESCE(${name}.pseudonym, _pseudonym(${value}))`,
  join: `LEFT JOIN _pseudonyms ${name} ON ${name}.value = ${value}`,
});
