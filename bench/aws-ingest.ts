import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IngestSummary } from '../engines/aws/ingest';
import { awsEnvironment } from '../tests/support/aws-server';
import { outputsOf } from '../tests/support/stack';
import { measureNode } from './measure';

const ROOT = join(__dirname, '..');
const FILE_BYTES = 1_000_000;

const OUTPUTS = outputsOf();
const BUCKET = OUTPUTS.buckets.landing;

/** Readings of one file, a megabyte of JSON lines. */
function readings(file: number): string {
  const lines: string[] = [];
  let bytes = 0;
  for (let i = 0; bytes < FILE_BYTES; i++) {
    const timestamp = 1_700_000_000_000 + file * 100_000 + i;
    const line = `{"user":"somebody@example.com","timestamp":${timestamp},"x":${i % 7},"y":${i % 5},"z":-1.5}\n`;
    lines.push(line);
    bytes += line.length;
  }
  return lines.join('');
}

/** How `lake ingest` puts so many files of 1 MB into a stand-in of S3, with lines judged; one line of JSON. */
async function main(files: number) {
  const dir = await mkdtemp(join(tmpdir(), 'bench-ingest-'));
  const server = spawn(
    process.execPath,
    ['--require', './cli/typescript.js', join(__dirname, 'aws-s3.ts'), BUCKET],
    {
      cwd: ROOT,
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  try {
    const landing = join(dir, 'data', 'accelerometer', 'landing');
    await mkdir(landing, { recursive: true });
    for (let i = 0; i < files; i++) await writeFile(join(landing, `part-${i}.json`), readings(i));
    const outputs = join(dir, 'outputs.json');
    await writeFile(outputs, JSON.stringify(OUTPUTS));
    const [url] = (await once(server.stdout, 'data')) as [Buffer];
    Object.assign(process.env, awsEnvironment(url.toString().trim()));
    const lake = join(ROOT, 'cli', 'lake.js');
    const args = ['ingest', join(dir, 'data'), '--stack', 'dev', '--outputs', outputs, '--json'];
    const { seconds, peakBytes, stdout } = await measureNode([lake, ...args]);
    const summary = JSON.parse(stdout) as IngestSummary;
    if (summary.files !== files) throw new Error(`${summary.files} of ${files} files were uploaded`);
    process.stdout.write(`${JSON.stringify({ files, seconds, bytes: summary.bytes, peakBytes })}\n`);
  } finally {
    server.stdin.end();
    await rm(dir, { recursive: true, force: true });
  }
}

const files = Number(process.argv[2]);
if (Number.isInteger(files) && files > 0) main(files);
else {
  process.stderr.write(
    'node --require ./cli/typescript.js bench/aws-ingest.ts FILES: a number of files from 1 up\n',
  );
  process.exitCode = 2;
}
