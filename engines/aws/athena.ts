import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import {
  AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  type GetQueryResultsOutput,
  type QueryExecution,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import { Interrupted, LakeError, type QueryResult, UsageError } from '../engine';
import { bytesText } from '../printed';
import { codeOf } from '../sql';
import { failure, isOverWorkgroupLimit } from './athena-failure';
import { type Reader, readerOf } from './athena-values';
import { toldError } from './errors';
import { literalOf, type QueryParameter } from './literals';
import type { ClientSettings } from './stack';

export interface AthenaOptions {
  /** A client, or what one is made with. */
  readonly client: AthenaClient | ClientSettings;
  readonly workGroup: string;
  readonly database: string;
  /** A query that scans more is stopped. Default: as much as the workgroup allows. */
  readonly maxScanBytes?: number | undefined;
  /** A result of the same query that is no older is taken in place of a new one, 1 to 10080. Default: none is. */
  readonly reuseMinutes?: number | undefined;
  /** Names of columns as the contracts spell them: Athena knows them in lower case. */
  readonly names?: readonly string[];
  /** Waits between two looks at a query. Default: by the clock. */
  readonly pause?: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

export interface AsQuery {
  /** Values of the `?` of the SQL, in their order. */
  readonly parameters?: readonly QueryParameter[];
  /** Stops the query. */
  readonly signal?: AbortSignal | undefined;
  /** Where the SQL stands, for errors. */
  readonly file?: string | undefined;
}

export interface AthenaResult extends QueryResult {
  readonly scannedBytes: number;
  readonly queryExecutionId: string;
  /** Whether it is the result of an earlier query. */
  readonly reused: boolean;
}

/** The most that Athena gives at once. */
const PAGE_ROWS = 1000;
/** UTF-8. */
const LONGEST_SQL = 262_144;
const FIRST_PAUSE = 200;
const LONGEST_PAUSE = 5000;
/** With a cap of its own, a query is looked at more often: what it scans in between is paid. */
const LONGEST_CAPPED_PAUSE = 1000;
const ENDED = new Set(['SUCCEEDED', 'FAILED', 'CANCELLED']);
/** No answer of Athena takes so long; without them one that is lost is waited for without end. */
export const TIMEOUTS = { connectionTimeout: 10_000, requestTimeout: 60_000, throwOnRequestTimeout: true };

const pauseByClock = async (milliseconds: number, signal?: AbortSignal) => {
  // Aborted, it ends early; whoever waits looks at the signal.
  await wait(milliseconds, undefined, signal && { signal }).catch(() => undefined);
};

/** Asks Athena, in the form in which the local engine answers. */
export class Athena {
  private readonly client: AthenaClient;
  private readonly pause: NonNullable<AthenaOptions['pause']>;

  constructor(private readonly options: AthenaOptions) {
    const { client } = options;
    this.client =
      client instanceof AthenaClient ? client : new AthenaClient({ ...client, requestHandler: TIMEOUTS });
    this.pause = options.pause ?? pauseByClock;
  }

  /**
   * Runs one statement that reads, and waits until its rows are there; they come page by page as they are taken.
   * Throws a UsageError of what is no such statement, Interrupted once `signal` says so, and otherwise a LakeError
   * with Athena's reason. A query that is given up is stopped.
   */
  async query(sql: string, { parameters = [], signal, file }: AsQuery = {}): Promise<AthenaResult> {
    checkReading(sql);
    const literals = parameters.map(literalOf);
    const sent: Sent = { sql, file, signal };
    // Without the signal: to stop a query that was started one must know its id.
    const id = await this.start(sql, literals, sent);
    const execution = await this.finish(id, sent);
    const { Statistics: statistics = {} } = execution;
    const first = await this.page(id, undefined, sent);
    const reader = readerOf(first.ResultSet?.ResultSetMetadata?.ColumnInfo ?? [], this.spelling(sql));
    return {
      columns: reader.columns,
      rows: this.rows(id, first, reader, isWithHeader(execution), sent),
      scannedBytes: statistics.DataScannedInBytes ?? 0,
      queryExecutionId: id,
      reused: statistics.ResultReuseInformation?.ReusedPreviousResult === true,
    };
  }

  private async start(sql: string, parameters: readonly string[], sent: Sent): Promise<string> {
    const { workGroup, database, reuseMinutes } = this.options;
    if (sent.signal?.aborted) throw new Interrupted('stopped before the query was sent');
    const command = new StartQueryExecutionCommand({
      QueryString: sql,
      // The same at each attempt, so that an attempt whose answer was lost starts no second query.
      ClientRequestToken: randomUUID(),
      WorkGroup: workGroup,
      QueryExecutionContext: { Database: database },
      ...(parameters.length > 0 && { ExecutionParameters: [...parameters] }),
      ...(reuseMinutes !== undefined && {
        ResultReuseConfiguration: {
          ResultReuseByAgeConfiguration: { Enabled: true, MaxAgeInMinutes: reuseMinutes },
        },
      }),
    });
    try {
      const { QueryExecutionId: id } = await this.client.send(command);
      if (id === undefined) throw new LakeError('Athena took the query and gave it no id');
      return id;
    } catch (error) {
      throw await this.told(error, 'athena:StartQueryExecution', sent);
    }
  }

  /** Waits for the end of a query. Throws where that is no success. */
  private async finish(id: string, sent: Sent): Promise<QueryExecution> {
    const { maxScanBytes } = this.options;
    const longest = maxScanBytes === undefined ? LONGEST_PAUSE : LONGEST_CAPPED_PAUSE;
    for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 1.5, longest)) {
      if (sent.signal?.aborted) throw await this.stopped(id);
      let execution: QueryExecution;
      try {
        execution = await this.look(id, sent);
      } catch (error) {
        if (sent.signal?.aborted) throw await this.stopped(id);
        const why = await this.told(error, 'athena:GetQueryExecution', sent);
        throw withMore(why, await this.stop(id));
      }
      const scanned = execution.Statistics?.DataScannedInBytes ?? 0;
      const state = execution.Status?.State ?? '';
      const isFruitless = ENDED.has(state) && state !== 'SUCCEEDED';
      if (maxScanBytes !== undefined && scanned > maxScanBytes && !isFruitless) {
        throw await this.overCap(id, scanned, maxScanBytes, state);
      }
      if (state === 'SUCCEEDED') return execution;
      if (isFruitless) throw await this.ended(id, execution, sent);
      // Half of it by chance, so that many who wait don't ask at the same moment.
      await this.pause(pause * (0.5 + Math.random() / 2), sent.signal);
    }
  }

  private async look(id: string, { signal }: Sent): Promise<QueryExecution> {
    const { QueryExecution: execution } = await this.client.send(
      new GetQueryExecutionCommand({ QueryExecutionId: id }),
      signal && { abortSignal: signal },
    );
    if (execution?.Status?.State === undefined) throw new LakeError('Athena does not say how the query is');
    return execution;
  }

  private async overCap(id: string, scanned: number, cap: number, state: string): Promise<LakeError> {
    const over = `scanned ${bytesText(scanned)}, more than --max-scan ${bytesText(cap)}`;
    if (state === 'SUCCEEDED') {
      return new LakeError(
        `the query ${over}, and ended before it could be stopped (query id ${id}). Athena keeps its result: ask for it with a higher --max-scan and --reuse 60, and it is not paid again`,
      );
    }
    return withMore(new LakeError(`the query ${over}`), await this.stop(id)) as LakeError;
  }

  private async ended(id: string, execution: QueryExecution, sent: Sent): Promise<unknown> {
    const { StateChangeReason, AthenaError, State } = execution.Status ?? {};
    const reason = StateChangeReason ?? AthenaError?.ErrorMessage ?? '';
    if (isOverWorkgroupLimit(reason)) {
      const scanned = execution.Statistics?.DataScannedInBytes;
      const after = scanned ? ` after ${bytesText(scanned)}` : '';
      return new LakeError(
        `Athena stopped the query${after}: it scans more than the workgroup ${this.options.workGroup} allows; ask of fewer columns or days, or raise the workgroup's limit (query id ${id})`,
      );
    }
    if (State === 'CANCELLED') {
      return new LakeError(`the query was stopped by somebody else (query id ${id})`);
    }
    if (reason === '') return new LakeError(`the query failed, and Athena does not say why (query id ${id})`);
    return failure(reason, {
      ...sent,
      id,
      asked: await this.asked('athena:GetQueryExecution'),
    });
  }

  private async stopped(id: string): Promise<Interrupted> {
    return withMore(new Interrupted('stopped'), await this.stop(id)) as Interrupted;
  }

  /** Stops a query. Returns what to say of it. */
  private async stop(id: string): Promise<string> {
    try {
      await this.client.send(new StopQueryExecutionCommand({ QueryExecutionId: id }));
      return `the query was stopped (query id ${id})`;
    } catch (error) {
      const why = await this.told(error, 'athena:StopQueryExecution', { sql: '' });
      const words = why instanceof LakeError ? why.message : (why as Error).name;
      return `the query could not be stopped and may go on (query id ${id}): ${words}`;
    }
  }

  private async page(id: string, token: string | undefined, sent: Sent): Promise<GetQueryResultsOutput> {
    const { signal } = sent;
    try {
      return await this.client.send(
        new GetQueryResultsCommand({ QueryExecutionId: id, MaxResults: PAGE_ROWS, NextToken: token }),
        signal && { abortSignal: signal },
      );
    } catch (error) {
      if (signal?.aborted) throw new Interrupted(`stopped; the query had ended (query id ${id})`);
      throw withMore(await this.told(error, 'athena:GetQueryResults', sent), `query id ${id}`);
    }
  }

  private async *rows(
    id: string,
    first: GetQueryResultsOutput,
    reader: Reader,
    mayHaveHeader: boolean,
    sent: Sent,
  ): AsyncGenerator<(string | null)[][]> {
    let page = first;
    for (let isFirst = true; ; isFirst = false) {
      const rows = page.ResultSet?.Rows ?? [];
      const [top] = rows;
      const hasHeader = isFirst && mayHaveHeader && top !== undefined && reader.isHeader(top);
      yield (hasHeader ? rows.slice(1) : rows).map((row) => reader.read(row));
      const token = page.NextToken;
      if (token === undefined || token === '') return;
      page = await this.page(id, token, sent);
    }
  }

  /** A name of the result with the capital letters of the contracts, or of the SQL. */
  private spelling(sql: string): (name: string) => string {
    const spellings = (names: readonly string[]) => {
      const found = new Map<string, string | undefined>();
      for (const name of names) {
        const lower = name.toLowerCase();
        found.set(lower, found.has(lower) && found.get(lower) !== name ? undefined : name);
      }
      return found;
    };
    const contracts = spellings(this.options.names ?? []);
    const own = spellings(codeOf(sql).match(/[A-Za-z_]\w*/g) ?? []);
    return (name) => (name === name.toLowerCase() ? (contracts.get(name) ?? own.get(name) ?? name) : name);
  }

  private async told(error: unknown, action: string, { sql, file }: Sent): Promise<unknown> {
    if (error instanceof LakeError) return error;
    const { name, message = '' } = error as Error;
    const asked = await this.asked(action);
    if (name !== 'InvalidRequestException') return toldError(error, asked);
    const { workGroup } = this.options;
    if (/output location|result location/i.test(message)) {
      return new LakeError(
        `the workgroup ${workGroup} has no place for results; deploy the stack again: pulumi up`,
      );
    }
    if (/work\s?group\b.*(?:not found|does not exist)/i.test(message)) {
      return new LakeError(
        `there is no workgroup ${workGroup} in ${asked.region}; was the stack deployed there? pulumi up`,
      );
    }
    if (/work\s?group\b.*disabled/i.test(message)) {
      return new LakeError(`the workgroup ${workGroup} is disabled, and takes no queries`);
    }
    return failure(message, { sql, file, asked });
  }

  private async asked(action: string) {
    const { client, workGroup } = this.options;
    const profile = client instanceof AthenaClient ? undefined : client.profile;
    const resource = `the workgroup ${workGroup}`;
    return { action, resource, region: await this.client.config.region(), profile };
  }
}

interface Sent {
  readonly sql: string;
  readonly file?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Whether names come before the rows: of a SELECT they do, of SHOW and DESCRIBE they do not, and the first of their
 * rows may be as the column is called.
 */
const isWithHeader = ({ SubstatementType: kind = '', StatementType: type }: QueryExecution) =>
  type !== 'DDL' && !/^(?:SHOW|DESC)/i.test(kind);

const withMore = (error: unknown, more: string): unknown => {
  if (!(error instanceof LakeError)) return error;
  error.message += `; ${more}`;
  return error;
};

const READS = /^[\s(]*(?:SELECT|WITH|VALUES|TABLE|SHOW|DESCRIBE|DESC)\b/i;
const EXPLAIN = /^\s*EXPLAIN\b(?:\s+(?:ANALYZE|VERBOSE)\b)*(?:\s*\(\s*(?:TYPE|FORMAT)\b[^)]*\))?/i;

/** Throws a UsageError of SQL that is not one statement that reads. */
function checkReading(sql: string): void {
  const code = codeOf(sql).replace(/[;\s]+$/, '');
  // A name or a text may end the statement: what is blanked counts as something.
  if (code.trim() === '') throw new UsageError('the query is empty; give one SELECT');
  if (code.includes(';')) throw new UsageError('a query is one SELECT; this is several statements');
  if (!READS.test(code.replace(EXPLAIN, ''))) {
    throw new UsageError('a query reads and changes nothing; give one SELECT');
  }
  const bytes = Buffer.byteLength(sql);
  if (bytes > LONGEST_SQL) {
    throw new UsageError(`the query has ${bytes} bytes, and Athena takes ${LONGEST_SQL}; make it shorter`);
  }
}
