// The smoke test of a stack as a process, all of it: Pulumi's own engine on stand-ins of its providers, and every `lake`
// command on a stack that is the local engine.
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, temporaryDir } from './support/lake';
import { stackIn, withPulumi } from './support/pulumi';
import { StackOnLake } from './support/stack-on-lake';

const dir = temporaryDir('smoke-engine');
const STACK = 'first-day';
const REPORT = 'report.md';

withPulumi("npm run smoke with Pulumi's own engine", () => {
  let aws: StackOnLake | undefined;
  afterAll(() => aws?.stop());

  test('a stack comes, does all that it should, and goes', async () => {
    const started = await StackOnLake.start(STACK, dir);
    aws = started.aws;
    await aws.deploy();
    const stack = await stackIn({ program: ROOT });
    const temp = join(dir, 'temp');
    mkdirSync(temp);
    const env = { ...started.env, TMPDIR: temp };
    const npm = (...args: string[]) =>
      stack.ran(process.execPath, ['--require', './cli/typescript.js', 'cli/smoke.ts', ...args], env);
    expect(await npm('--stack', STACK, '--all')).toMatchObject({ status: 2, stdout: '' });
    const { status, stdout, stderr } = await npm('--stack', STACK, '--yes', '--destroy', '--report', REPORT);
    const report = readFileSync(join(stack.dir, REPORT), 'utf8');
    expect({ status, stderr, report }).toMatchObject({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^ok {4} {2}preview +[\d.]+ s {2}\+ 1\d\d to create\n/m);
    expect(stdout).toMatch(/^ok {4} {2}preview again +[\d.]+ s {2}1\d\d unchanged\n/m);
    expect(stdout).toMatch(/^ok {4} {2}destroy +[\d.]+ s {2}- 1\d\d deleted;/m);
    for (const secret of ['123456789012', '@', 'arn:']) expect(report + stdout).not.toContain(secret);
    expect(report).toContain(`Nothing: there is no stack ${STACK}.`);
    expect(Object.values(stack.world()).flatMap(Object.keys)).toEqual([]);
    expect(readdirSync(temp).filter((name) => name.startsWith('lake-'))).toEqual([]);
    expect(existsSync(join(stack.dir, `Pulumi.${STACK}.yaml`))).toBe(false);
  });
});
