// Which columns a column comes from, by DuckDB's own bound plan of a SELECT: not by its text.
import type { DuckDBConnection } from '@duckdb/node-api';
import { type Job, runTime } from '../model';
import { withEmptyTables } from './check';
import { rowsOf } from './database';
import { readCode } from './job-code';
import { quoteString, withParameters } from './sql';
import { nothing, readType } from './types';

/** How a value was made of another, in OpenLineage's words: the first three directly, the others by what they decide. */
export type Transformation =
  | 'IDENTITY'
  | 'TRANSFORMATION'
  | 'AGGREGATION'
  | 'CONDITIONAL'
  | 'WINDOW'
  | 'FILTER'
  | 'JOIN'
  | 'GROUP_BY'
  | 'SORT';

export const isDirect = (how: Transformation) =>
  how === 'IDENTITY' || how === 'TRANSFORMATION' || how === 'AGGREGATION';

/** `table.column`, by how it takes part. */
export type Origins = ReadonlyMap<string, ReadonlySet<Transformation>>;

export interface Lineage {
  /** Of each column of the result. */
  readonly columns: Readonly<Record<string, Origins>>;
  /** What decides which rows there are. */
  readonly rows: Origins;
}

/** A node of a bound plan or of an expression in it, with the members that are looked at here. */
interface PlanNode {
  readonly type: string;
  readonly expression_class?: string;
  readonly children?: readonly PlanNode[];
  readonly expressions?: readonly PlanNode[];
  readonly groups?: readonly PlanNode[];
  /** Of a reference: which of the columns below it. */
  readonly index?: number;
  readonly alias?: string;
  readonly names?: readonly string[];
  readonly column_indexes?: readonly { readonly index: number }[];
  readonly function_data?: { readonly table?: string };
  readonly table_index?: number;
  readonly cte_index?: number;
  readonly join_type?: string;
  readonly conditions?: readonly { readonly left: PlanNode; readonly right: PlanNode }[];
  readonly condition?: PlanNode;
  readonly predicate?: PlanNode | null;
  readonly duplicate_eliminated_columns?: readonly PlanNode[];
  readonly distinct_targets?: readonly PlanNode[];
  readonly orders?: readonly { readonly expression: PlanNode }[];
  readonly case_checks?: readonly { readonly when_expr: PlanNode; readonly then_expr: PlanNode }[];
  readonly else_expr?: PlanNode;
  readonly partitions?: readonly PlanNode[];
  readonly filter?: PlanNode | null;
  readonly order_bys?: { readonly orders: readonly { readonly expression: PlanNode }[] } | null;
}

type Column = Map<string, Set<Transformation>>;

/** The columns that a job's SQL makes, with default values of its parameters. The SQL binds: `lake check` says so. */
export async function lineageOf(db: DuckDBConnection, job: Job, sql: string): Promise<Lineage> {
  const values = Object.fromEntries([...job.parameters, runTime].map((p) => [p.name, p.default]));
  const text = withParameters(sql, job.parameters, values);
  const inputs = new Map(job.inputs.map((table) => [table.name, nothing(table, readType)]));
  return withEmptyTables(db, inputs, async () => {
    const query = `SELECT json_serialize_plan(${quoteString(text)}, optimize := false) AS plan`;
    const [row] = await rowsOf<{ plan: string }>(db, query);
    const { plans } = JSON.parse(row?.plan ?? '') as { plans: readonly PlanNode[] };
    const reader = new PlanReader();
    const columns = reader.read(plans[0] as PlanNode);
    const names = await rowsOf<{ column_name: string }>(db, `DESCRIBE ${text}`);
    return {
      columns: Object.fromEntries(
        names.map(({ column_name: name }, i) => {
          const column = columns[i] ?? new Map();
          // The writer makes it of what the SQL gives.
          const isHashed = job.output.columns[name]?.type === 'pseudonym';
          return [name, isHashed ? after(column, 'TRANSFORMATION') : column];
        }),
      ),
      rows: reader.rows,
    };
  });
}

export interface JobText {
  readonly code: string;
  /** Of SQL that binds. */
  readonly lineage?: Lineage;
}

/** The code of jobs by their names, of those that have any. What is wrong with one is for `lake check` to say. */
export async function jobTexts(
  db: DuckDBConnection,
  jobs: readonly Job[],
  dir: string,
): Promise<ReadonlyMap<string, JobText>> {
  const texts = new Map<string, JobText>();
  for (const job of jobs) {
    const code = await readCode(dir, job).catch(() => undefined);
    if (code === undefined) continue;
    const lineage = job.language === 'sql' && (await lineageOf(db, job, code).catch(() => undefined));
    texts.set(job.name, { code, ...(lineage && { lineage }) });
  }
  return texts;
}

/** Reads one plan, from its leaves up: references in it are places among the columns of what is below. */
class PlanReader {
  readonly rows: Column = new Map();
  private readonly ctes = new Map<number, readonly Column[]>();
  /** What the outer query gives to the subqueries that refer to it, the innermost last. */
  private readonly outer: (readonly Column[])[] = [];

  read(node: PlanNode): readonly Column[] {
    const { expressions = [], children = [] } = node;
    switch (node.type) {
      case 'LOGICAL_GET':
        return (node.column_indexes ?? []).map(({ index }) => {
          const name = node.names?.[index];
          return name === undefined
            ? new Map()
            : new Map([[`${node.function_data?.table}.${name}`, new Set(['IDENTITY'] as const)]]);
        });
      case 'LOGICAL_MATERIALIZED_CTE':
      case 'LOGICAL_RECURSIVE_CTE': {
        const [first, rest] = children as readonly [PlanNode, PlanNode];
        this.ctes.set(node.table_index as number, this.read(first));
        return node.type === 'LOGICAL_RECURSIVE_CTE'
          ? merged(this.ctes.get(node.table_index as number) ?? [], this.read(rest))
          : this.read(rest);
      }
      case 'LOGICAL_CTE_REF':
        return this.ctes.get(node.cte_index as number) ?? [];
      case 'LOGICAL_DELIM_GET':
        return this.outer.at(-1) ?? [];
      case 'LOGICAL_UNION':
      case 'LOGICAL_EXCEPT':
      case 'LOGICAL_INTERSECT':
        return children.map((child) => this.read(child)).reduce(merged);
      case 'LOGICAL_CROSS_PRODUCT':
      case 'LOGICAL_COMPARISON_JOIN':
      case 'LOGICAL_ANY_JOIN':
      case 'LOGICAL_DELIM_JOIN':
        return this.join(node);
    }
    const below = children.flatMap((child) => this.read(child));
    const given = () => expressions.map((one) => columnOf(one, below));
    switch (node.type) {
      case 'LOGICAL_PROJECTION':
        return given();
      case 'LOGICAL_AGGREGATE_AND_GROUP_BY': {
        const groups = (node.groups ?? []).map((one) => columnOf(one, below));
        this.decide(groups, 'GROUP_BY');
        return [...groups, ...given()];
      }
      case 'LOGICAL_WINDOW':
      case 'LOGICAL_UNNEST':
        return [...below, ...given()];
      case 'LOGICAL_EXPRESSION_GET':
        return [];
      case 'LOGICAL_FILTER':
        this.decide(given(), 'FILTER');
        return below;
      case 'LOGICAL_DISTINCT':
        this.decide(
          (node.distinct_targets ?? []).map((one) => columnOf(one, below)),
          'GROUP_BY',
        );
        return below;
      case 'LOGICAL_ORDER_BY':
      case 'LOGICAL_TOP_N':
        this.decide(
          (node.orders ?? []).map(({ expression }) => columnOf(expression, below)),
          'SORT',
        );
        return below;
      default:
        return below;
    }
  }

  private join(node: PlanNode): readonly Column[] {
    const [left, right] = node.children as readonly [PlanNode, PlanNode];
    const [own, other] = [this.read(left), () => this.read(right)];
    const isCorrelated = node.type === 'LOGICAL_DELIM_JOIN';
    if (isCorrelated)
      this.outer.push((node.duplicate_eliminated_columns ?? []).map((one) => columnOf(one, own)));
    const others = other();
    if (isCorrelated) this.outer.pop();
    const both = [...own, ...others];
    this.decide(
      [
        ...(node.conditions ?? []).flatMap((c) => [columnOf(c.left, own), columnOf(c.right, others)]),
        ...[node.condition, node.predicate].flatMap((one) => (one ? [columnOf(one, both)] : [])),
      ],
      'JOIN',
    );
    // Whether there is a counterpart is said by the conditions, whichever rows it then keeps.
    if (node.join_type === 'MARK') return [...own, new Map()];
    if (node.join_type === 'SEMI' || node.join_type === 'ANTI') return own;
    return both;
  }

  private decide(columns: readonly Column[], how: Transformation) {
    for (const column of columns) for (const origin of column.keys()) add(this.rows, origin, how);
  }
}

function add(to: Column, origin: string, how: Transformation) {
  to.set(origin, (to.get(origin) ?? new Set<Transformation>()).add(how));
}

function merged(some: readonly Column[], others: readonly Column[]): readonly Column[] {
  return some.map((column, i) => union([column, others[i] ?? new Map()]));
}

function union(columns: readonly Column[]): Column {
  const all: Column = new Map();
  for (const column of columns)
    for (const [origin, hows] of column) for (const how of hows) add(all, origin, how);
  return all;
}

/** The column after a step: what was taken as it is, is now what the step does; what was aggregated stays so. */
function after(column: Column, how: 'TRANSFORMATION' | 'AGGREGATION' | 'CONDITIONAL' | 'WINDOW'): Column {
  const made: Column = new Map();
  for (const [origin, hows] of column)
    for (const before of hows) {
      const stays = how === 'TRANSFORMATION' ? before !== 'IDENTITY' : !isDirect(before) && isDirect(how);
      add(made, origin, stays ? before : how);
    }
  return made;
}

/** What an expression is made of, over the columns below it. */
function columnOf(node: PlanNode, below: readonly Column[]): Column {
  const of = (one: PlanNode) => columnOf(one, below);
  switch (node.expression_class) {
    case 'BOUND_REF':
      return below[node.index as number] ?? new Map();
    case 'BOUND_CASE':
      return union([
        ...(node.case_checks ?? []).flatMap(({ when_expr, then_expr }) => [
          after(of(when_expr), 'CONDITIONAL'),
          after(of(then_expr), 'TRANSFORMATION'),
        ]),
        ...(node.else_expr ? [after(of(node.else_expr), 'TRANSFORMATION')] : []),
      ]);
    case 'BOUND_AGGREGATE':
      return union([
        ...(node.children ?? []).map((one) => after(of(one), 'AGGREGATION')),
        ...(node.filter ? [after(of(node.filter), 'CONDITIONAL')] : []),
        ...(node.order_bys?.orders ?? []).map(({ expression }) => after(of(expression), 'CONDITIONAL')),
      ]);
    case 'BOUND_WINDOW':
      return union([
        ...(node.children ?? []).map((one) => after(of(one), 'TRANSFORMATION')),
        ...[...(node.partitions ?? []), ...(node.orders ?? []).map(({ expression }) => expression)].map(
          (one) => after(of(one), 'WINDOW'),
        ),
      ]);
    default:
      return union(
        Object.values(node)
          .flat()
          .filter((part): part is PlanNode => typeof part?.expression_class === 'string')
          .map((part) => after(of(part), 'TRANSFORMATION')),
      );
  }
}
