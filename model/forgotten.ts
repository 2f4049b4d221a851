import type { Column, Identifies } from './column';
import { normalisedSql } from './refine';
import { literalPattern, quoteName as name, quoteString as quote } from './sql';
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
   * From `_landed`, what it says of people, as `kind, value, person`: of everybody each `device` and `hint`, of people on
   * the list each `instant` too, in milliseconds. Only of these it names the person. Absent where the source names nobody.
   */
  readonly found?: string;
  /**
   * From `_refused (id, raw)`, each `id` of a text that is theirs. Only a forget sets the variable `_subject`, the person:
   * it finds texts that break off within their address.
   */
  readonly refused: string;
}

type Contract = Pick<Table, 'columns'>;

/** See {@link Forgotten.macro}. */
export const PSEUDONYM_MACRO = `CREATE OR REPLACE TEMP MACRO _pseudonym(value) AS
  sha256(getvariable('_outer') || unhex(sha256(getvariable('_inner') || encode(value))))`;

/** What lists of format 1 compared; they still hold for whoever is in them. */
const asciiSql = (value: string) =>
  `translate(trim(${value}, ' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13)), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')`;

/** Whether a value is on the list, in today's form or that of format 1. The kind before it keeps its hash apart from its pseudonym. */
function isListed(kind: string, value: string): string {
  const has = (form: string) =>
    `COALESCE(_pseudonym(${kind} || ':' || ${form}) IN (SELECT hash FROM _list), false)`;
  const [now, before] = [normalisedSql(value), asciiSql(value)];
  return `(${has(now)} OR ${has(`CASE WHEN ${before} <> ${now} THEN ${before} END`)})`;
}

/** The columns that say whose a row is, with what they identify; of one kind, or of all. */
const identifying = ({ columns }: Contract, kind?: Identifies): [string, Column][] =>
  Object.entries(columns).filter(([, { identifies }]) => identifies && (kind ?? identifies) === identifies);

/** A column's value in a row `t` as it is printed, by which values of any type are compared. */
const printed = ([key, { type }]: [string, Column], row = 't.') =>
  type === 'text' ? `${row}${name(key)}` : `CAST(${row}${name(key)} AS VARCHAR)`;

/** The columns of a hint: a value that points to a person, and is not what tables know them by. */
const hintsOf = ({ columns }: Contract) =>
  Object.entries(columns).filter(
    ([, { type, pii, identifies }]) => type === 'text' && pii === 'direct' && !identifies,
  );

/** The condition that a column of a row `t` is on the list; never NULL. Each value is hashed once. */
const isAmong = (column: [string, Column], kind: string) =>
  `COALESCE(${printed(column)} IN (SELECT value FROM (SELECT DISTINCT ${printed(column, '')} AS value FROM _landed)
    WHERE ${isListed(quote(kind), 'value')}), false)`;

const any = (conditions: readonly string[]) => conditions.join(' OR ') || 'false';

/** The condition that a row `t` names a person; never NULL. */
const namesPerson = (table: Contract) =>
  any(
    identifying(table, 'person').map((column) => `COALESCE(${normalisedSql(printed(column))} <> '', false)`),
  );

const isPersons = (table: Contract) =>
  any(identifying(table, 'person').map((column) => isAmong(column, 'person')));

/**
 * The condition that a row `t` is theirs. A device may be another's by now, so it counts only on rows that name no person;
 * of one that others have too, only where the list has it with the row's instant. Only then is the pair hashed.
 */
function theirRows(table: Contract): string {
  const devices = identifying(table, 'device').flatMap((device) => [
    isAmong(device, 'device'),
    ...identifying(table, 'moment').map(
      (moment) => `COALESCE(CASE WHEN ${isAmong(device, 'moment')}
        THEN _pseudonym('moment:' || ${normalisedSql(printed(device))} || ' ' || ${printed(moment)}) END
        IN (SELECT hash FROM _list), false)`,
    ),
  ]);
  if (devices.length === 0) return isPersons(table);
  return `${isPersons(table)} OR (NOT (${namesPerson(table)}) AND (${any(devices)}))`;
}

/** See {@link Forgotten.found}. */
function foundIn(table: Contract): string | undefined {
  const values = [
    ...identifying(table, 'device').map((column) => ({
      kind: 'device',
      value: normalisedSql(printed(column)),
    })),
    ...hintsOf(table).map((column) => ({ kind: 'hint', value: normalisedSql(printed(column)) })),
    ...identifying(table, 'moment').map((column) => ({
      kind: 'instant',
      value: `CASE WHEN person IS NOT NULL THEN ${printed(column)} END`,
    })),
  ].map(({ kind, value }) => `{'kind': '${kind}', 'value': ${value}}`);
  if (identifying(table, 'person').length === 0 || values.length === 0) return undefined;
  const person = identifying(table, 'person').map(
    (column) => `CASE WHEN ${isAmong(column, 'person')} THEN ${normalisedSql(printed(column))} END`,
  );
  return `SELECT DISTINCT kind, value, person FROM (
    SELECT person, unnest([${values.join(', ')}], recursive := true)
    FROM (SELECT *, COALESCE(${person.join(', ')}) AS person FROM _landed t WHERE ${namesPerson(table)}) t
  ) WHERE value <> ''`;
}

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

/** Other ways to write a character: in HTML, in addresses of the web, in mail, in full width. */
const CODED = String.raw`(?i)&#|&commat;|[%=][2-9a-f][0-9a-f]|[\x{FF01}-\x{FF5E}\x{FE6B}]`;
const FULL_WIDTH = Array.from({ length: 94 }, (_, i) => [0xff01 + i, 0x21 + i]).concat([[0xfe6b, 0x40]]);
const charactersAt = (place: number) =>
  quote(FULL_WIDTH.map((pair) => String.fromCharCode(pair[place] as number)).join(''));
const DECODED = `translate(array_to_string(list_transform(
  ${found('text', '(?is)&#x?[0-9a-f]{1,6};|&commat;|[^&]+|&')},
  lambda e: CASE WHEN lower(e) = '&commat;' THEN '@'
    WHEN starts_with(e, '&#') THEN COALESCE(TRY(chr(CAST(replace(lower(rtrim(e[3:], ';')), 'x', '0x') AS INT))), e) ELSE e END
), ''), ${charactersAt(0)}, ${charactersAt(1)})`;
const BASE64 = ['[A-Za-z0-9+/]{12,}', '[A-Za-z0-9_-]{12,}']
  .map((pattern) => found('text', pattern))
  .join(', ');

/** The texts of `_refused`, and what they may stand for in another encoding. Letters with NULs between are UTF-16 or UTF-32. */
const GIVEN = `plain_texts AS MATERIALIZED (
  SELECT id, raw AS text FROM _refused WHERE raw <> ''
  UNION ALL SELECT id, replace(raw, chr(0), '') FROM _refused WHERE contains(raw, chr(0))
),
given AS MATERIALIZED (
  FROM plain_texts
  UNION ALL SELECT id, ${DECODED} FROM plain_texts WHERE regexp_matches(text, ${quote(CODED)})
  UNION ALL SELECT id, TRY(url_decode(regexp_replace(text, '[%=]([2-9A-Fa-f][0-9A-Fa-f])', '%\\1', 'g')))
    FROM plain_texts WHERE regexp_matches(text, ${quote(CODED)})
  UNION ALL SELECT id, TRY(decode(from_base64(rpad(word, 4 * CAST(ceil(strlen(word) / 4) AS INT), '='))))
    FROM (SELECT id, translate(unnest(list_distinct(list_concat(${BASE64}))), '-_', '+/') AS word FROM plain_texts)
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

const keysOf = (columns: readonly [string, Column][]) =>
  columns.flatMap(([key, { aliases, from }]) => [key, ...aliases, ...(from?.split('.').slice(-1) ?? [])]);

/** The values that stand behind the keys of columns; those of hints, which are texts, between quotes only. */
function behindKeys(columns: readonly [string, Column][], isHint: boolean): string {
  if (columns.length === 0) return '[]';
  const bare = isHint ? '' : '|([^\\s"\',;|&{}()\\[\\]]+)';
  const keys = keysOf(columns).map(literalPattern);
  const pattern = `(?is)(?:^|[^A-Za-z0-9_])(?:${keys.join('|')})["']?\\s*[:=]\\s*(?:"(${UNQUOTED})"|'([^']*)'${bare})`;
  return `list_concat(${(isHint ? [1, 2] : [1, 2, 3]).map((group) => found('text', pattern, group)).join(', ')})`;
}

/** A query for what may be a name of a person or a device, and a hint; `bound` where it stands behind its own key. */
function tokens(contract: Contract): string {
  const hints = hintsOf(contract);
  const names = identifying(contract).filter(([, { identifies }]) => identifies !== 'moment');
  const values = VALUES.flatMap((pattern) => [1, 2].map((group) => found('text', pattern, group)));
  const lists = [
    ['name', false, TOKENS],
    ['name', true, behindKeys(names, false)],
    ...(hints.length > 0
      ? [
          ['hint', false, `list_concat(${values.join(', ')})`] as const,
          ['hint', true, behindKeys(hints, true)] as const,
        ]
      : []),
  ] as const;
  return lists
    .map(
      ([kind, bound, list]) =>
        `SELECT id, '${kind}' AS kind, ${bound} AS bound, unnest(list_distinct(${list})) AS token FROM texts`,
    )
    .join('\n  UNION ALL ');
}

/** How a number may be spelled that is a whole one, and how tables print it: `4711.0`, `04711` and `+4.711e3` are 4711. */
const NUMBER = String.raw`[-+]?\d[\d.]*([eE][-+]?\d{1,2})?`;
const WHOLE_NUMBER =
  'CASE WHEN TRY_CAST(spelling AS DOUBLE) = TRY_CAST(spelling AS BIGINT) THEN CAST(TRY_CAST(spelling AS BIGINT) AS VARCHAR) END';
const hasNumbers = (contract: Contract) => identifying(contract).some(([, { type }]) => type === 'int');

/**
 * Whether a text says by itself whose it is: somebody may be called `Bad`, or have the number 10. Others count only behind
 * the key of their column.
 */
const isTelling = (contract: Contract) =>
  `(contains(value, '@') OR (length(value) > 6 AND NOT regexp_full_match(value, '[a-z_]+')
    AND value NOT IN (${
      keysOf(Object.entries(contract.columns))
        .map((key) => normalisedSql(quote(key)))
        .join(', ') || 'NULL'
    })))`;

/** What follows the last quote of a text that breaks off between two. */
const CUT = String.raw`(?s)^${UNQUOTED}"(?:${UNQUOTED}"${UNQUOTED}")*(${UNQUOTED})\\?$`;

/**
 * The query for refused texts that are theirs: those with a name of a person; else, where no e-mail of another can be
 * read, with a name of a device or a hint. An e-mail at the very edge of a text may be cut off, and is not read.
 */
const theirRefused = (contract: Contract): string => `WITH RECURSIVE ${GIVEN},
${nested('texts', 'FROM given WHERE text IS NOT NULL')},
tokens AS MATERIALIZED (${tokens(contract)}),
plain AS MATERIALIZED (
  SELECT *, ${unescaped('token')} AS spelling FROM (SELECT DISTINCT kind, bound, token FROM tokens)
),
spelled AS MATERIALIZED (
  SELECT *, ${normalisedSql('spelling')} AS value
  FROM (FROM plain${hasNumbers(contract) ? ` UNION ALL SELECT kind, bound, token, ${WHOLE_NUMBER} FROM plain WHERE regexp_full_match(spelling, ${quote(NUMBER)})` : ''})
),
listed AS MATERIALIZED (
  SELECT s.kind AS kind, bound, token, l.kind AS listed
  FROM spelled s JOIN (SELECT DISTINCT kind FROM _list WHERE kind <> 'moment') l ON (s.kind = 'hint') = (l.kind = 'hint')
  WHERE (bound OR ${isTelling(contract)}) AND ${isListed('l.kind', 'spelling')}
),
named AS MATERIALIZED (SELECT DISTINCT id, listed FROM tokens JOIN listed USING (kind, bound, token)),
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

const POINTING = `WITH pointing AS (
  SELECT kind, value, bool_and(person IS NOT NULL) AS is_own FROM _found GROUP BY kind, value HAVING count(person) > 0
),
shared AS (SELECT DISTINCT value, person FROM _found JOIN pointing USING (kind, value) WHERE kind = 'device' AND NOT is_own AND person IS NOT NULL)`;
/**
 * From `_found`, what {@link Forgotten.found} gives of all sources: the hashes that are to be entered, as `kind, hash`. What
 * others have too points to nobody; of a device that they share, the instants are entered at which the person was measured.
 * The first, of kind `person`, is that of `_subject`, where it is set and is more than white space.
 */
export const ENTRIES = `${POINTING}
SELECT 'person' AS kind, _pseudonym('person:' || person) AS hash
FROM (SELECT ${normalisedSql("getvariable('_subject')::VARCHAR")} AS person) WHERE person <> ''
UNION SELECT kind, _pseudonym(kind || ':' || value) FROM pointing WHERE kind <> 'instant' AND is_own
UNION SELECT 'moment', _pseudonym('moment:' || value) FROM shared
UNION SELECT 'moment', _pseudonym('moment:' || s.value || ' ' || f.value) FROM shared s JOIN _found f USING (person) WHERE f.kind = 'instant'
ORDER BY kind DESC`;

/** The devices of people on the list that others have too. */
export const SHARED_DEVICES = `${POINTING} SELECT DISTINCT value FROM shared`;

/** See {@link Forgotten}. */
export function forgottenOf(contract: Contract): Forgotten {
  const found = foundIn(contract);
  return {
    macro: PSEUDONYM_MACRO,
    rows: theirRows(contract),
    ...(found !== undefined && { found }),
    refused: theirRefused(contract),
  };
}
