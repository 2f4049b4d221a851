import { LakeError } from '../engine';
import { masked, quoteString, tokensOf } from '../sql';
import { type Asked, toldError } from './errors';

/** A query that failed, and where its SQL stands. */
export interface Failed {
  readonly sql: string;
  /** The file of the SQL. Default: it has none. */
  readonly file?: string | undefined;
  /** Of the query. */
  readonly id?: string;
  readonly asked: Pick<Asked, 'region' | 'profile'>;
}

const REFUSED = /not authorized to perform|^PERMISSION_DENIED|Insufficient permissions|\bAccess Denied\b/i;
const LIMIT = /Bytes scanned limit was exceeded/i;

/** Whether Athena stopped a query for what its workgroup lets one scan. */
export const isOverWorkgroupLimit = (reason: string) => LIMIT.test(reason);

/**
 * Why a query failed, in Athena's own words: with the file, the line and that line's text where Athena names one, and
 * without data.
 */
export function failure(reason: string, { sql, file, id, asked }: Failed): unknown {
  if (REFUSED.test(reason)) {
    // What is said of rights names whoever asked.
    const error = Object.assign(new Error(reason), { name: 'AccessDeniedException', $metadata: {} });
    const [place] = /s3:\/\/[^\s,;()"']+/.exec(reason) ?? [];
    return toldError(error, {
      ...(place === undefined
        ? { action: 'reading the tables of the query' }
        : { action: 's3:GetObject', resource: place }),
      region: asked.region,
      profile: asked.profile,
    });
  }
  const { code, line, column, words } = partsOf(reason);
  const suffix = `${code ? ` (${code})` : ''}${id === undefined ? '' : `; query id ${id}`}`;
  // A message with a place is of the analysis, which sees the SQL and the contracts and no row.
  if (line !== undefined && column !== undefined) {
    const place = file === undefined ? `line ${line} of the query` : `${file}:${line}`;
    return new LakeError(`${place}: ${words}${suffix}${quoted(sql, line, column)}`);
  }
  const place = file === undefined ? 'the query failed' : `${file}: the query failed`;
  return new LakeError(`${place}: ${withoutData(words, code, sql)}${suffix}`);
}

function partsOf(reason: string) {
  const [, code, rest = ''] = /^(?:([A-Z][A-Z0-9_]+):\s*)?([\s\S]*)$/.exec(reason.trim()) ?? [];
  const found = /^line (\d+):(\d+):\s*([\s\S]*)$/.exec(rest);
  const [first = ''] = (found?.[3] ?? rest).split('\n');
  return {
    code,
    words: first.trim(),
    line: found ? Number(found[1]) : undefined,
    column: found ? Number(found[2]) : undefined,
  };
}

/** The line of the SQL with a mark under the place; nothing of a line that is not there or too long to see. */
function quoted(sql: string, line: number, column: number): string {
  const text = sql.split(/\r?\n/)[line - 1];
  if (text === undefined || text.trim() === '' || text.length > 200) return '';
  const before = text.slice(0, column - 1).replace(/[^\t]/g, ' ');
  return `\n  ${text}\n  ${before}^`;
}

/** What errors of the rows say bare, such as fail(text) of the SQL. */
const ALL_DATA = /^(?:GENERIC_USER_ERROR|JSON_\w+)$/;
/** What says nothing of the rows, but of the query or of Athena. */
const NO_DATA = /^(?:EXCEEDED_\w+|\w*_NOT_FOUND|SYNTAX_ERROR|NOT_SUPPORTED|QUERY_\w+|TOO_MANY_\w+)$/;

/**
 * Words of an error that the rows made: values stand in quotes, after a colon or as numbers. What is in quotes is kept
 * where the SQL has it so: whoever wrote that knows it.
 */
function withoutData(words: string, code: string | undefined, sql: string): string {
  if (code !== undefined && NO_DATA.test(code)) return words;
  if (code !== undefined && ALL_DATA.test(code)) return 'what Athena says is left out, as it may quote data';
  const bare = (text: string) => text.replace(/\S*@\S*/g, '…').replaceAll(/\d+/g, '…');
  const [, before = '', quote = '', between = '', after = ''] =
    /^([^'"]*)(['"])([\s\S]*)\2([^'"]*)$/.exec(words) ?? [];
  if (quote !== '' && isLiteral(sql, between)) return `${bare(before)}'${between}'${bare(after)}`;
  return bare(masked(words)).replace(/: [\s\S]*$/, ': …');
}

const isLiteral = (sql: string, text: string) =>
  tokensOf(sql).some((token) => token.kind === 'string' && token.text === quoteString(text));
