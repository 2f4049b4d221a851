import { join } from 'node:path';
import { pulumiOrSkip } from '../tests/support/pulumi-engine';
import { PSEUDONYM_KEY, Stack, stopServing } from '../tests/support/pulumi-stack';
import { timed } from './measure';
import { median } from './report';

const ROOT = join(__dirname, '..');
const RUNS = 5;
/** The program without the engine, its start, its checks and all resources, beside one that loads Pulumi's two SDKs. */
const LIMIT = 2;
/** Seconds of `lake check`, which somebody waits for who edits. */
const CHECK_LIMIT = 3;

const say = (text: string) => process.stdout.write(`${text}\n`);
const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(2)} s`;

interface Stages {
  readonly sdk: number;
  readonly loaded: number;
  readonly built: number;
  readonly resources: number;
}

/** Times a process a few times, its start included. */
async function ofNode(...args: readonly string[]): Promise<number> {
  const taken: number[] = [];
  for (let run = 0; run < RUNS; run++) taken.push((await timed(process.execPath, args)).seconds);
  return median(taken);
}

/** Times `lake check` and the Pulumi program alone, then a whole `pulumi preview` of it on stand-ins of its providers. */
async function main(): Promise<number> {
  const [check, start] = [await ofNode('cli/lake.js', 'check'), await ofNode('--eval', '')];
  const isQuick = check <= CHECK_LIMIT;
  say(
    `lake check: ${check.toFixed(2)} s (≤ ${CHECK_LIMIT} s ${isQuick ? 'ok' : 'NOT MET'}) beside ${start.toFixed(2)} s of a bare Node start; median of ${RUNS}`,
  );
  const runs: Stages[] = [];
  const bares: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const program = join(__dirname, 'preview-program.ts');
    const { stdout } = await timed(process.execPath, ['--require', './cli/typescript.js', program]);
    runs.push(JSON.parse(stdout));
    const bare = "require('@pulumi/pulumi'); require('@pulumi/aws'); console.log(performance.now())";
    bares.push(Number((await timed(process.execPath, ['--eval', bare], {})).stdout));
  }
  const at = (stage: keyof Stages) => median(runs.map((run) => run[stage]));
  const bare = median(bares);
  const ratio = at('built') / bare;
  const met = ratio <= LIMIT;
  const status = met && isQuick ? 0 : 1;
  say(
    `program, without the engine: ${seconds(at('built'))} beside ${seconds(bare)} of a bare one, ${ratio.toFixed(2)} × (≤ ${LIMIT} ${met ? 'ok' : 'NOT MET'}), ${at('resources')} resources; median of ${RUNS}`,
  );
  say(`  Node and the Pulumi SDK    ${seconds(at('sdk'))}`);
  say(`  components and their SDKs  ${seconds(at('loaded') - at('sdk'))}`);
  say(`  checks and building        ${seconds(at('built') - at('loaded'))}`);
  if (pulumiOrSkip() === undefined) return status;
  const stack = await Stack.in({ program: ROOT, secrets: { pseudonymKey: PSEUDONYM_KEY } });
  try {
    for (const [what, policyPack] of [
      ['', undefined],
      [', with the policy pack', 'policy'],
    ] as const) {
      const taken: number[] = [];
      for (let run = 0; run < RUNS; run++) {
        const started = performance.now();
        const { status, stdout } = await stack.preview(policyPack === undefined ? {} : { policyPack });
        if (status !== 0) throw new Error(stdout);
        taken.push(performance.now() - started);
      }
      say(`pulumi preview${what}: ${seconds(median(taken))}; median of ${RUNS}, providers are stand-ins`);
    }
  } finally {
    stack.dispose();
    stopServing();
  }
  return status;
}

main().then((status) => {
  process.exitCode = status;
});
