// A stand-in of Athena over real HTTP. It runs no SQL: a test says what is answered.
import { randomUUID } from 'node:crypto';
import type { QueryColumn } from '../../engines/engine';
import { type AwsRequest, type AwsResponse, AwsServer, json, jsonError } from '../support/aws-server';

// A client warns of Node 20 as it is made.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

/** A query as it was started. */
export interface Started {
  readonly id: string;
  readonly sql: string;
  readonly token: string;
  readonly parameters: readonly string[] | undefined;
  readonly workGroup: string;
  readonly database: string;
  readonly reuseMinutes: number | undefined;
}

/** What is seen of a query at one look. */
export interface Look {
  readonly state: 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
  readonly reason?: string;
  readonly scannedBytes?: number;
}

export interface Answer {
  /** As Athena names types: `bigint`, `decimal`, `timestamp`. Default: no columns. */
  readonly columns?: readonly { readonly name: string; readonly type: string }[];
  /** As Athena prints them, or how many there are and what makes one. Default: none. */
  readonly rows?:
    | readonly (readonly (string | null)[])[]
    | { readonly count: number; readonly row: (i: number) => readonly (string | null)[] };
  /** The looks in turn; the last one lasts. Default: one that SUCCEEDED. */
  readonly looks?: readonly [Look, ...Look[]];
  readonly reused?: boolean;
  /** Default: DML and SELECT, with a header. */
  readonly statement?: { readonly type?: string; readonly kind?: string; readonly header: boolean };
}

interface Execution {
  readonly started: Started;
  readonly answer: Answer;
  looked: number;
  cancelled: boolean;
}

const SELECT = { type: 'DML', kind: 'SELECT', header: true };

export class AthenaStandin {
  readonly server = new AwsServer((request) => this.handle(request));
  readonly started: Started[] = [];
  /** Ids. */
  readonly stopped: string[] = [];
  /** The most rows that one answer held. */
  largestPage = 0;
  private readonly executions = new Map<string, Execution>();

  /** May throw an AwsResponse, which then is what starting the query gives. */
  constructor(private readonly answer: (query: Started) => Answer | Promise<Answer>) {}

  private async handle(request: AwsRequest): Promise<AwsResponse> {
    const input = JSON.parse(request.body.toString());
    if (request.operation === 'StartQueryExecution') return this.start(input);
    const execution = this.executions.get(input.QueryExecutionId);
    if (execution === undefined) {
      return jsonError('InvalidRequestException', `QueryExecution ${input.QueryExecutionId} was not found`);
    }
    switch (request.operation) {
      case 'GetQueryExecution':
        return this.look(execution);
      case 'GetQueryResults':
        return this.page(execution, input);
      case 'StopQueryExecution':
        this.stopped.push(execution.started.id);
        execution.cancelled = true;
        return json({});
      default:
        return jsonError('InvalidRequestException', `the stand-in knows no ${request.operation}`);
    }
  }

  private async start(input: Record<string, unknown>): Promise<AwsResponse> {
    const token = String(input.ClientRequestToken ?? '');
    if (token.length < 32 || token.length > 128) {
      return jsonError('InvalidRequestException', 'ClientRequestToken has 32 to 128 characters');
    }
    const before = this.started.find((query) => query.token === token);
    if (before) {
      return before.sql === input.QueryString
        ? json({ QueryExecutionId: before.id })
        : jsonError('InvalidRequestException', 'Idempotent parameters do not match');
    }
    const reuse = input.ResultReuseConfiguration as
      | { ResultReuseByAgeConfiguration: { MaxAgeInMinutes: number } }
      | undefined;
    const started: Started = {
      id: randomUUID(),
      sql: String(input.QueryString),
      token,
      parameters: input.ExecutionParameters as string[] | undefined,
      workGroup: String(input.WorkGroup),
      database: (input.QueryExecutionContext as { Database: string }).Database,
      reuseMinutes: reuse?.ResultReuseByAgeConfiguration.MaxAgeInMinutes,
    };
    let answer: Answer;
    try {
      answer = await this.answer(started);
    } catch (refusal) {
      if (refusal instanceof Error) throw refusal;
      return refusal as AwsResponse;
    }
    this.started.push(started);
    this.executions.set(started.id, { started, answer, looked: 0, cancelled: false });
    return json({ QueryExecutionId: started.id });
  }

  private look(execution: Execution): AwsResponse {
    const { answer, started, cancelled } = execution;
    const { looks = [{ state: 'SUCCEEDED' }], statement = SELECT } = answer;
    const look = looks[Math.min(execution.looked++, looks.length - 1)] as Look;
    return json({
      QueryExecution: {
        QueryExecutionId: started.id,
        Query: started.sql,
        StatementType: statement.type,
        SubstatementType: statement.kind,
        Status: cancelled ? { State: 'CANCELLED' } : { State: look.state, StateChangeReason: look.reason },
        Statistics: {
          DataScannedInBytes: look.scannedBytes ?? 0,
          ResultReuseInformation: { ReusedPreviousResult: answer.reused ?? false },
        },
      },
    });
  }

  private page({ answer }: Execution, input: { MaxResults?: number; NextToken?: string }): AwsResponse {
    const { columns = [], rows = [], statement = SELECT } = answer;
    const most = input.MaxResults ?? 1000;
    if (most > 1000) return jsonError('InvalidRequestException', 'MaxResults is at most 1000');
    const { count, row } =
      'count' in rows
        ? rows
        : { count: rows.length, row: (i: number) => rows[i] as readonly (string | null)[] };
    const names = columns.map(({ name }) => name);
    const all = (i: number) => (statement.header ? (i === 0 ? names : row(i - 1)) : row(i));
    const from = Number(input.NextToken ?? 0);
    const total = count + (statement.header ? 1 : 0);
    const to = Math.min(from + most, total);
    this.largestPage = Math.max(this.largestPage, to - from);
    const datum = (text: string | null) => (text === null ? {} : { VarCharValue: text });
    return json({
      ResultSet: {
        Rows: Array.from({ length: to - from }, (_, i) => ({ Data: all(from + i).map(datum) })),
        ResultSetMetadata: {
          ColumnInfo: columns.map(({ name, type }) => ({ Name: name, Label: name, Type: type })),
        },
      },
      ...(to < total && { NextToken: String(to) }),
    });
  }
}

/** Of the local engine, what a test needs to have its answers told as Athena would tell them. */
interface Local {
  query(sql: string): Promise<{
    readonly columns: readonly QueryColumn[];
    readonly rows: AsyncIterable<readonly (readonly (string | null)[])[]>;
  }>;
}

/** The local engine's answer to a query in the form of Athena: its types, its texts, its names in lower case. */
export async function asAthena(engine: Local, sql: string): Promise<Answer> {
  const rowsOf = async (query: string) => {
    const all: (string | null)[][] = [];
    for await (const chunk of (await engine.query(query)).rows) all.push(...chunk.map((row) => [...row]));
    return all;
  };
  const described = await rowsOf(`SELECT column_name, column_type FROM (DESCRIBE ${sql}\n)`);
  const columns = described.map(([name, type]) => ({
    name: String(name).toLowerCase(),
    duck: String(type),
    ...athenaType(String(type)),
  }));
  const rows = await rowsOf(sql);
  return {
    columns: columns.map(({ name, type }) => ({ name, type })),
    rows: rows.map((row) => row.map((text, i) => (text === null ? null : (columns[i]?.print(text) ?? text)))),
  };
}

function athenaType(duck: string): { readonly type: string; readonly print: (text: string) => string } {
  const asIs = (text: string) => text;
  const scale = /^DECIMAL\(\d+,(\d+)\)$/.exec(duck)?.[1];
  if (scale !== undefined) return { type: 'decimal', print: (text) => withZeros(text, Number(scale)) };
  switch (duck) {
    case 'DOUBLE':
      return { type: 'double', print: (text) => javaDouble(Number(text)) };
    case 'BIGINT':
    case 'HUGEINT':
      return { type: 'bigint', print: asIs };
    case 'INTEGER':
      return { type: 'integer', print: asIs };
    case 'TIMESTAMP':
    case 'DATE':
    case 'BOOLEAN':
    case 'VARCHAR':
      return { type: duck.toLowerCase(), print: asIs };
    default:
      throw new Error(`the stand-in of Athena does not know how it prints ${duck}`);
  }
}

function withZeros(text: string, scale: number): string {
  if (scale === 0) return text;
  const [whole, fraction = ''] = text.split('.');
  return `${whole}.${fraction.padEnd(scale, '0')}`;
}

/** As Java's Double.toString: 100.0, 1.0E10, NaN. */
function javaDouble(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Object.is(value, -0)) return '-0.0';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) {
    const [digits = '', exponent = ''] = value.toExponential().split('e');
    return `${digits.includes('.') ? digits : `${digits}.0`}E${exponent.replace('+', '')}`;
  }
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
