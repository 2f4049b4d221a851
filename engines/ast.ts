import type { DuckDBConnection } from '@duckdb/node-api';
import { rowsOf } from './database';
import { quoteString } from './sql';

/** A node of DuckDB's own parse of a SELECT, with the members that are looked at here. */
export interface AstNode {
  readonly class?: string;
  readonly type?: string;
  /** Bytes from the start of the SQL. */
  readonly query_location?: number;
  readonly alias?: string;
  readonly function_name?: string;
  readonly children?: readonly AstNode[];
  readonly child?: AstNode;
  /** Of a constant: what it is. */
  readonly value?: { readonly value?: unknown; readonly is_null?: boolean };
  readonly column_names?: readonly string[];
  readonly cast_type?: { readonly id: string };
  readonly try_cast?: boolean;
  readonly exclude_list?: readonly unknown[];
  readonly replace_list?: readonly unknown[];
  readonly columns?: boolean;
  readonly select_list?: readonly AstNode[];
  readonly where_clause?: AstNode | null;
  readonly group_expressions?: readonly AstNode[];
  readonly having?: AstNode | null;
  /** Of a UNION and its like: the first query. */
  readonly left?: AstNode;
  readonly ref_type?: string;
  readonly join_type?: string;
  readonly qualify?: AstNode | null;
  readonly sample?: AstNode | null;
  readonly aggregate_handling?: string;
  readonly modifiers?: readonly AstNode[];
  readonly distinct_on_targets?: readonly unknown[];
  readonly setop_type?: string;
  /** Of a table that a function gives. */
  readonly function?: AstNode;
  readonly table_name?: string;
  readonly schema_name?: string;
  readonly catalog_name?: string;
  /** The common table expressions before a query. */
  readonly cte_map?: { readonly map?: readonly { readonly key: string; readonly value: AstNode }[] };
  /** Of a recursive one: its name, which it may read itself. */
  readonly cte_name?: string;
}

/** Every object below a node, arrays opened. */
export function childrenOf(node: AstNode): AstNode[] {
  return Object.values(node)
    .flat(2)
    .filter((value): value is AstNode => typeof value === 'object' && value !== null);
}

/** A node and every node below it. */
export const nodesOf = (node: AstNode): AstNode[] => [node, ...childrenOf(node).flatMap(nodesOf)];

/** The line, from 1, on which a node stands in its SQL; unknown for what the parser adds. */
export function lineOf(sql: string, { query_location: byte }: AstNode): number | undefined {
  const bytes = Buffer.from(sql);
  return byte === undefined || byte > bytes.length
    ? undefined
    : bytes.subarray(0, byte).toString().split('\n').length;
}

/** The expressions of a query's columns, in their order; unknown where `*` stands for several. */
export function selectListOf(query: AstNode): readonly AstNode[] | undefined {
  const list = query.select_list ?? (query.left && selectListOf(query.left));
  return list?.some((item) => item.class === 'STAR') ? undefined : list;
}

/**
 * The tables that a query reads, by their names as written, each with a node that reads it; functions in FROM too,
 * as `name()`. A name that a common table expression has where it stands is none.
 */
export function tablesIn(query: AstNode): ReadonlyMap<string, AstNode> {
  const tables = new Map<string, AstNode>();
  const visit = (node: AstNode, scope: ReadonlySet<string>) => {
    const name = [node.catalog_name, node.schema_name, node.table_name].filter(Boolean).join('.');
    if (node.type === 'BASE_TABLE' && !scope.has(name.toLowerCase()) && !tables.has(name)) {
      tables.set(name, node);
    }
    if (node.type === 'TABLE_FUNCTION') tables.set(`${node.function?.function_name}()`, node);
    const { cte_map, ...rest } = node;
    const known = new Set(scope);
    if (node.cte_name) known.add(node.cte_name.toLowerCase());
    for (const { key, value } of cte_map?.map ?? []) {
      visit(value, known);
      known.add(key.toLowerCase());
    }
    for (const child of childrenOf(rest)) visit(child, known);
  };
  visit(query, new Set());
  return tables;
}

/** DuckDB's parse of one SELECT; nothing is looked up. An Error, with a `line`, where it is none. */
export async function parseSelect(db: DuckDBConnection, sql: string): Promise<AstNode> {
  const fail = (message: string, line = 1) => Object.assign(new Error(message), { line });
  const [row] = await rowsOf<{ ast: string }>(db, `SELECT json_serialize_sql(${quoteString(sql)}) AS ast`);
  const parsed = JSON.parse(row?.ast ?? '') as {
    error: boolean;
    error_type?: string;
    error_message?: string;
    position?: string;
    statements?: { node: AstNode }[];
  };
  if (parsed.error && parsed.error_type === 'not implemented') {
    throw fail('it has to be one SELECT, without PIVOT or what else DuckDB rewrites');
  }
  if (parsed.error) {
    // Unlike a node's, this position counts characters.
    const before = [...sql].slice(0, Number(parsed.position ?? 0));
    throw fail(parsed.error_message ?? 'it does not parse', before.filter((c) => c === '\n').length + 1);
  }
  const [first, second] = parsed.statements ?? [];
  if (!first) throw fail('it is empty; it has to be one SELECT');
  if (second) throw fail('it holds several statements; it has to be one SELECT');
  return first.node;
}
