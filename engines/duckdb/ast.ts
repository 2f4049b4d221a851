import type { DuckDBConnection } from '@duckdb/node-api';
import { quoteString } from '../sql';
import { rowsOf } from './database';

/** A node of DuckDB's own parse of a SELECT, with the members that are looked at here. */
export interface AstNode {
  readonly class?: string;
  readonly type?: string;
  /** Bytes from the start of the SQL. */
  readonly query_location?: number;
  readonly function_name?: string;
  readonly children?: readonly AstNode[];
  readonly cast_type?: { readonly id: string };
  readonly try_cast?: boolean;
  readonly exclude_list?: readonly unknown[];
  readonly replace_list?: readonly unknown[];
  readonly columns?: boolean;
  readonly ref_type?: string;
  readonly join_type?: string;
  readonly qualify?: AstNode | null;
  readonly sample?: AstNode | null;
  readonly aggregate_handling?: string;
  readonly distinct_on_targets?: readonly unknown[];
  readonly setop_type?: string;
  readonly table_name?: string;
  readonly schema_name?: string;
  /** Of a common table expression: its name. */
  readonly key?: string;
}

/** Every object below a node, arrays opened. */
export function childrenOf(node: AstNode): AstNode[] {
  return Object.values(node)
    .flatMap((value) => (Array.isArray(value) ? value : [value]))
    .filter((value): value is AstNode => typeof value === 'object' && value !== null);
}

/** The line, from 1, on which a node stands in its SQL; unknown for what the parser adds. */
export function lineOf(sql: string, { query_location: byte }: AstNode): number | undefined {
  const bytes = Buffer.from(sql);
  return byte === undefined || byte > bytes.length
    ? undefined
    : bytes.subarray(0, byte).toString().split('\n').length;
}

/** DuckDB's parse of one SELECT; nothing is looked up. An Error where it is no SELECT or does not parse. */
export async function parseSelect(db: DuckDBConnection, sql: string): Promise<AstNode> {
  const [row] = await rowsOf<{ ast: string }>(db, `SELECT json_serialize_sql(${quoteString(sql)}) AS ast`);
  const parsed = JSON.parse(row?.ast ?? '') as {
    error: boolean;
    error_message?: string;
    position?: string;
    statements?: { node: AstNode }[];
  };
  if (parsed.error) {
    const line = sql.slice(0, Number(parsed.position ?? 0)).split('\n').length;
    throw Object.assign(new Error(parsed.error_message ?? 'it does not parse'), { line });
  }
  const [first, second] = parsed.statements ?? [];
  if (!first || second) throw new Error('it is not one SELECT');
  return first.node;
}
