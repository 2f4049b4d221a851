import { blobValue, type DuckDBConnection } from '@duckdb/node-api';

const BLOCK_BYTES = 64;

/**
 * Makes the temporary table `_pseudonyms (value, pseudonym)` of every value that the query `values` gives: the
 * hex digits of HMAC-SHA-256 over the value's UTF-8 bytes (RFC 2104). In SQL, so that any number of values stays
 * out of this process's heap; the key is bound, so that no error text can show it. No table of a pipeline can have its name. Key: at most 64 bytes.
 */
export async function makePseudonyms(db: DuckDBConnection, values: string, key: Buffer): Promise<void> {
  const pad = (byte: number) => {
    const padded = Buffer.alloc(BLOCK_BYTES);
    key.copy(padded);
    return blobValue(padded.map((b) => b ^ byte));
  };
  await db.run(
    `CREATE OR REPLACE TEMP TABLE _pseudonyms AS
    SELECT value, sha256($1::BLOB || unhex(sha256($2::BLOB || encode(value)))) AS pseudonym
    FROM (SELECT DISTINCT value FROM (${values}) WHERE value IS NOT NULL)`,
    [pad(0x5c), pad(0x36)],
  );
}
