import { join } from 'node:path';
import { grouped } from '../engines/words';
import { timed } from './measure';
import { allKept, figure, layout, type Row } from './report';

/** What the project promises: times the peak memory of few, for as many as here. */
const LIMIT = 2;
const FILES = { few: 10, many: 1000 };
const ROWS = { few: 1000, many: 1_000_000 };

interface Measured {
  readonly seconds: number;
  readonly peakBytes: number;
}

async function measured(script: string, count: number): Promise<Measured> {
  const args = ['--require', './cli/typescript.js', join(__dirname, script), String(count)];
  const { stdout } = await timed(process.execPath, args);
  const found = JSON.parse(stdout) as Measured;
  process.stderr.write(`${script} ${count}: ${found.seconds.toFixed(1)} s\n`);
  return found;
}

async function rowsOf(what: string, script: string, { few, many }: typeof FILES): Promise<Row[]> {
  const small = await measured(script, few);
  const large = await measured(script, many);
  return [
    [what, grouped(few), grouped(many), `${grouped(many)} to ${grouped(few)}`],
    ['  time', figure(small.seconds, 's'), figure(large.seconds, 's'), ''],
    [
      '  peak memory',
      figure(small.peakBytes, 'bytes'),
      figure(large.peakBytes, 'bytes'),
      figure(large.peakBytes / small.peakBytes, 'times', LIMIT),
    ],
  ];
}

/** `lake` on a stack, each call a process, with stand-ins of S3 and Athena in others. */
async function bench(): Promise<boolean> {
  const rows = [
    ...(await rowsOf('lake ingest, files of 1 MB', 'aws-ingest.ts', FILES)),
    ...(await rowsOf('lake query, rows as CSV', 'aws-query.ts', ROWS)),
  ];
  process.stdout.write(`${layout(rows)}\n`);
  return allKept(rows);
}

bench().then((ok) => {
  process.exitCode = ok ? 0 : 1;
});
