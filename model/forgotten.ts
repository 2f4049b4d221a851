import type { Identifies } from './column';
import { normalisedSql } from './refine';
import type { Table } from './table';

/**
 * The SQL, for DuckDB 1.5, that says what is of people who were forgotten. An engine makes the macro once, sets its two
 * variables `_inner` and `_outer`, and fills `_list (kind, hash)`. Where nobody is on the list it needs none of this.
 */
export interface Forgotten {
  /** Makes `_pseudonym(value)`: HMAC-SHA-256 in hex, by the key's two pads of 64 bytes (RFC 2104), which are BLOBs. */
  readonly macro: string;
  /** The condition that a row `t` of `_landed`, which has the source's columns, is theirs; never NULL. */
  readonly rows: string;
  /**
   * From `_refused (id, raw)`, each `id` of a text that is theirs. What only a forget knows is in
   * `_their_pseudonyms (value)` and the variable `_subject`, the person; in a run the table is empty and the variable NULL.
   */
  readonly refused: string;
}

type Contract = Pick<Table, 'columns'>;

const quote = (text: string) => `'${text.replaceAll("'", "''")}'`;
const name = (text: string) => `"${text.replaceAll('"', '""')}"`;

/** See {@link Forgotten.macro}. */
export const PSEUDONYM_MACRO = `CREATE OR REPLACE TEMP MACRO _pseudonym(value) AS
  sha256(getvariable('_outer') || unhex(sha256(getvariable('_inner') || encode(value))))`;
/** The kind before the value keeps its hash apart from its pseudonym. */
const isListed = (kind: string, value: string) =>
  `_pseudonym(${kind} || ':' || ${value}) IN (SELECT hash FROM _list)`;

/** The columns that say whose a row is, with what they identify; of one kind, or of all. */
export const identifying = ({ columns }: Contract, kind?: Identifies): [string, Identifies][] =>
  Object.entries(columns).flatMap(([column, { identifies }]) =>
    identifies && (kind ?? identifies) === identifies ? [[column, identifies]] : [],
  );

/** The columns of a hint: a value that points to a person, and is not what tables know them by. */
export const hintsOf = ({ columns }: Contract): string[] =>
  Object.entries(columns).flatMap(([column, { type, pii, identifies }]) =>
    type === 'text' && pii === 'direct' && !identifies ? [column] : [],
  );

/** A query for the values of a column that are on the list, as they are spelled. Each value is hashed once. */
export const listedValues = (from: string, column: string, kind: Identifies) =>
  `SELECT value FROM (SELECT DISTINCT ${name(column)} AS value FROM ${from})
    WHERE ${isListed(quote(kind), normalisedSql('value'))}`;

/** The condition that a column of a row `t` has one of the values of a query; never NULL. */
export const isAmong = (column: string, values: string) =>
  `COALESCE(t.${name(column)} IN (${values}), false)`;

/** The condition that a row `t` names a person; never NULL. */
export const namesPerson = (table: Contract) =>
  identifying(table, 'person')
    .map(([column]) => `COALESCE(${normalisedSql(`t.${name(column)}`)} <> '', false)`)
    .join(' OR ') || 'false';

/**
 * The condition that a row `t` is theirs by its columns, all or those of one kind, of which `listed` queries the values
 * on the list. A device may be another's by now, so it counts only on rows that name no person.
 */
export const theirRows = (
  table: Contract,
  listed: (column: string, kind: Identifies) => string,
  only?: Identifies,
): string =>
  identifying(table, only)
    .map(([column, kind]) => {
      const among = isAmong(column, listed(column, kind));
      return kind === 'device' ? `(${among} AND NOT (${namesPerson(table)}))` : among;
    })
    .join(' OR ') || 'false';

/** A text without a double quote in it, but for escaped ones. */
const UNQUOTED = String.raw`(?:[^"\\]|\\.)*`;
const SEPARATORS = String.raw`\x00-\x20\x7f"'<>(){}\[\],;:|`;
const WORD = String.raw`[^${SEPARATORS}\\]`;
/** Bytes that are no UTF-8 may stand right behind a value. */
const PLAIN_WORDS = '[A-Za-z0-9._%+@-]+';
/** What stands between double quotes that no backslash escapes, and what stands outside them. */
const PIECES = String.raw`(?s)(?:[^"\\]|\\.?)+`;
const ESCAPE = String.raw`\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\["\\/bfnrt]`;
/** JSON in JSON doubles its backslashes each time, so no text that is kept can hold more. */
const DEPTH = 20;
/** A shorter beginning of an e-mail is that of many. */
const LEAST_CUT = 6;

const found = (text: string, pattern: string, group = 0) =>
  `regexp_extract_all(${text}, ${quote(pattern)}, ${group})`;

/** Escapes of JSON replaced one by one, as a text that is cut has no whole literal; what is no escape stays. */
const unescaped = (
  text: string,
) => String.raw`CASE WHEN contains(${text}, '\') THEN replace(array_to_string(list_transform(
  ${found(text, String.raw`${ESCAPE}|[^\\]+|\\`)},
  lambda e: CASE WHEN starts_with(e, '\') AND e <> '\' THEN COALESCE(TRY_CAST('"' || e || '"' AS JSON) ->> '$', chr(65533)) ELSE e END
), ''), chr(0), '') ELSE ${text} END`;

/** A table of the texts `(id, text)` of a query, and of those that are quoted in them. */
const nested = (called: string, from: string) => `${called} AS (
  SELECT id, text, 0 AS depth FROM (${from})
  UNION ALL
  SELECT id, ${unescaped('piece')}, depth + 1
  FROM (SELECT id, depth, unnest(${found('text', PIECES)}) AS piece FROM ${called} WHERE contains(text, '\\') AND depth < ${DEPTH})
  WHERE regexp_matches(piece, ${quote(ESCAPE)})
)`;

/** Every text that may be a whole value, but for its escapes. */
const TOKENS = `list_concat(
  ${[PIECES, "[^']+", '[^,;\\t|]+', `${WORD}+`, PLAIN_WORDS].map((pattern) => found('text', pattern)).join(',\n  ')},
  list_transform(${found('text', PLAIN_WORDS)}, lambda w: trim(w, '.-')))`;

/** Patterns of texts that stand whole between quotes where a value may: behind a key, which is none, or without one. */
const VALUES = [
  ['"', UNQUOTED],
  ["'", "[^']*"],
].map(([mark, inside]) => {
  const value = `${mark}(${inside})${mark}`;
  const key = `${mark}${inside}${mark}\\s*:\\s*`;
  return String.raw`(?s)(?:^|[,;:|=(\[{\t])\s*(?:${key}(?:${value}|[^"'\s{\[]?)|${value})`;
});

/** A query for what may be a name of a person or a device, and a hint where the contract has such columns. */
function tokens({ columns }: Contract): string {
  const of = (kind: string, list: string) =>
    `SELECT id, ${quote(kind)} AS kind, unnest(list_distinct(${list})) AS token FROM texts`;
  if (hintsOf({ columns }).length === 0) return of('name', TOKENS);
  const values = VALUES.flatMap((pattern) => [1, 2].map((group) => found('text', pattern, group)));
  return `${of('name', TOKENS)}\n  UNION ALL ${of('hint', `list_concat(${values.join(', ')})`)}`;
}

/** The contract's keys, which are no hints. */
const keysOf = ({ columns }: Contract) =>
  Object.entries(columns)
    .flatMap(([key, { aliases }]) => [key, ...aliases])
    .map((key) => normalisedSql(quote(key)))
    .join(', ') || 'NULL';

/** What follows the last quote of a text that breaks off between two. */
const CUT = String.raw`(?s)^${UNQUOTED}"(?:${UNQUOTED}"${UNQUOTED}")*(${UNQUOTED})\\?$`;

/**
 * The query for refused texts that are theirs: those with a name of a person; else, where no e-mail of another can be
 * read, with a name of a device or a hint. An e-mail at the very edge of a text may be cut off, and is not read. Letters
 * with NULs between are UTF-16.
 */
const theirRefused = (contract: Contract): string => `WITH RECURSIVE given AS (
  SELECT id, raw AS text FROM _refused WHERE raw <> ''
  UNION ALL SELECT id, replace(raw, chr(0), '') FROM _refused WHERE contains(raw, chr(0))
),
${nested('texts', 'FROM given')},
tokens AS (${tokens(contract)}),
spelled AS (
  SELECT kind, token, ${normalisedSql(unescaped('token'))} AS value FROM (SELECT DISTINCT kind, token FROM tokens)
),
listed AS (
  SELECT s.kind AS kind, token, l.kind AS listed
  FROM spelled s JOIN (SELECT DISTINCT kind FROM _list) l ON (s.kind = 'hint') = (l.kind = 'hint')
  WHERE ${isListed('l.kind', 'value')} AND (s.kind <> 'hint' OR value NOT IN (${keysOf(contract)}))
  UNION ALL SELECT kind, token, 'person' FROM spelled WHERE kind = 'name' AND value IN (SELECT value FROM _their_pseudonyms)
),
named AS (SELECT DISTINCT id, listed FROM tokens JOIN listed USING (kind, token)),
${nested(
  'inner_texts',
  `SELECT id, regexp_extract(trim(text, ' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13)), ${quote(`(?s)[${SEPARATORS}](?:.*[${SEPARATORS}])?`)}) AS text
    FROM given WHERE id IN (SELECT id FROM named)`,
)},
cut AS (
  SELECT id, ${normalisedSql(unescaped('text'))} AS text
  FROM (SELECT id, regexp_extract(text, ${quote(CUT)}, 1) AS text FROM given WHERE getvariable('_subject') IS NOT NULL)
)
SELECT id FROM named
WHERE listed = 'person' OR id NOT IN (SELECT id FROM inner_texts WHERE regexp_matches(text, ${quote(`${WORD}@${WORD}`)}))
UNION SELECT id FROM cut
WHERE length(text) >= ${LEAST_CUT} AND starts_with(${normalisedSql("getvariable('_subject')::VARCHAR")}, text)`;

/** See {@link Forgotten}. Without columns, the contract is that of any table that is no source. */
export const forgottenOf = (contract: Contract): Forgotten => ({
  macro: PSEUDONYM_MACRO,
  rows: theirRows(contract, (column, kind) => listedValues('_landed', column, kind)),
  refused: theirRefused(contract),
});
