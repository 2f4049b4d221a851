// `lake query --stack` on a result of many rows: node --require ./cli/typescript.js bench/aws-query.ts ROWS
// Athena is a stand-in in a process of its own, which makes the rows as they are asked for. Prints one line of JSON:
// { rows, seconds, peakBytes }, of the process of `lake`, whose CSV is counted here.
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AthenaStandin } from '../tests/standin/athena';
import { awsEnvironment } from '../tests/support/aws-server';
import { outputsOf } from '../tests/support/stack';

const SERVE = 'serve';
const ROOT = join(__dirname, '..');
const COLUMNS = {
  sensorreadingtime: 'timestamp',
  subject: 'varchar',
  device: 'varchar',
  distancefromobject: 'bigint',
  x: 'double',
  y: 'double',
  z: 'double',
};

const row = (i: number) => [
  new Date(1_600_000_000_000 + i).toISOString().replace('T', ' ').replace('Z', ''),
  String(i % 1000).padStart(64, 'a'),
  String(i % 100).padStart(64, 'b'),
  String(i % 300),
  `${i % 7}.5`,
  '1.0E-4',
  '-0.0',
];

/** In the process of the stand-in. */
async function serve(count: number) {
  const columns = Object.entries(COLUMNS).map(([name, type]) => ({ name, type }));
  const standin = new AthenaStandin(() => ({ columns, rows: { count, row } }));
  const url = await standin.server.start();
  process.send?.(url);
  process.once('disconnect', () => process.exit());
}

const startServer = (rows: number): Promise<{ readonly url: string; readonly server: ChildProcess }> =>
  new Promise((done, fail) => {
    const server = fork(__filename, [SERVE, String(rows)], {
      execArgv: ['--require', './cli/typescript.js'],
    });
    server.once('message', (url) => done({ url: String(url), server }));
    server.once('exit', (code) => fail(new Error(`the stand-in of Athena ended with ${code}`)));
  });

async function measure(rows: number) {
  const dir = mkdtempSync(join(tmpdir(), 'bench-aws-query-'));
  const { url, server } = await startServer(rows);
  try {
    const file = join(dir, 'outputs.json');
    writeFileSync(file, JSON.stringify(outputsOf()));
    const options = ['--stack', 'dev', '--outputs', file, '--format', 'csv'];
    const started = performance.now();
    const lake = spawn(
      process.execPath,
      ['cli/lake.js', 'query', '-e', 'SELECT * FROM machine_learning_curated', ...options],
      {
        cwd: ROOT,
        stdio: ['ignore', 'pipe', 'inherit'],
        env: {
          ...process.env,
          ...awsEnvironment(url),
          NODE_OPTIONS: `--require ${JSON.stringify(join(__dirname, 'peak.cjs'))}`,
          BENCH_PEAK_DIR: dir,
        },
      },
    );
    let lines = 0;
    lake.stdout.on('data', (chunk: Buffer) => {
      for (const byte of chunk) if (byte === 10) lines++;
    });
    const status = await new Promise((done) => lake.once('close', done));
    const seconds = (performance.now() - started) / 1000;
    if (status !== 0 || lines !== rows + 1) {
      throw new Error(`lake ended with ${status} and ${lines - 1} rows of ${rows}`);
    }
    const { peakBytes } = JSON.parse(readFileSync(join(dir, String(lake.pid)), 'utf8'));
    process.stdout.write(`${JSON.stringify({ rows, seconds: +seconds.toFixed(2), peakBytes })}\n`);
  } finally {
    server.removeAllListeners('exit');
    server.disconnect();
    rmSync(dir, { recursive: true });
  }
}

const [first = '', second = ''] = process.argv.slice(2);
const work = first === SERVE ? serve(Number(second)) : measure(Number(first));
work.catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
