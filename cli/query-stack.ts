import { relative } from 'node:path';
import PRICES from '../cost/prices.json';
import { queryPrice } from '../cost/query';
import type { AthenaResult } from '../engines/aws/athena';
import type { QueryResult } from '../engines/engine';
import { bytesText } from '../engines/printed';
import { type Pipeline, QUARANTINE } from '../model';
import { type StackFlags, stackOf } from './stack-options';

export interface StackQueryOptions extends StackFlags {
  readonly workgroup: 'all' | 'analysts';
  /** Bytes. */
  readonly maxScan?: number;
  /** Minutes. */
  readonly reuse?: number;
}

interface Sql {
  readonly sql: string;
  /** Where it stands. */
  readonly file?: string | undefined;
}

/** `lake query --stack`: asks Athena, and tells on stderr what that cost.*/
export async function queryStack(
  pipeline: Pipeline,
  { sql, file }: Sql,
  options: StackQueryOptions,
  print: (result: QueryResult) => Promise<void>,
): Promise<void> {
  const { client, outputs } = await stackOf(options);
  const { Athena } = require('../engines/aws/athena') as typeof import('../engines/aws/athena');
  const athena = new Athena({
    client,
    workGroup: outputs.workgroups[options.workgroup],
    database: outputs.database,
    maxScanBytes: options.maxScan,
    reuseMinutes: options.reuse,
    names: namesIn(pipeline),
  });
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  // Once: pressed again, it ends the process at once.
  process.once('SIGINT', interrupt);
  try {
    const { signal } = interrupted;
    const result = await athena.query(sql, { signal, file: file && relative('', file) });
    await print(result);
    process.stderr.write(`${costOf(result, client.region)}\n`);
  } finally {
    process.off('SIGINT', interrupt);
  }
}

const namesIn = ({ tables }: Pipeline): string[] => [
  ...new Set([...tables.values(), { columns: QUARANTINE }].flatMap(({ columns }) => Object.keys(columns))),
];

function costOf({ scannedBytes, reused, queryExecutionId: id }: AthenaResult, region: string): string {
  if (reused) return `an earlier result was taken, nothing scanned; query id ${id}`;
  const where = region === PRICES.region ? '' : ` at the price of ${PRICES.region}`;
  const usd = queryPrice(scannedBytes);
  const price = usd < 0.01 ? usd.toPrecision(1) : usd.toFixed(2);
  return `scanned ${bytesText(scannedBytes)}, about USD ${price}${where}; query id ${id}`;
}
