// The program alone, without an engine: it prints the milliseconds since its process began at which the SDK was
// loaded, the program was loaded, and everything was checked and built; and whether awsx was loaded for it.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { runtime } from '@pulumi/pulumi';

const at = () => Math.round(performance.now());

async function main() {
  const sdk = at();
  const secret = 'stedi-lakehouse:pseudonymKey';
  runtime.setAllConfig({ 'aws:region': 'us-east-1', [secret]: randomBytes(32).toString('hex') }, [secret]);
  let resources = 0;
  await runtime.setMocks(
    {
      newResource: ({ inputs, name, id }) => {
        resources++;
        return { id: id ?? `${name}-id`, state: { arn: `arn:aws:::${name}`, ...inputs } };
      },
      call: () => ({
        accountId: '123456789012',
        region: 'us-east-1',
        partition: 'aws',
      }),
    },
    'stedi-lakehouse',
    'dev',
    true,
  );
  // The mocks know no hooks; the engine only takes note of them.
  const { getMonitor } = runtime as unknown as { getMonitor(): Record<string, unknown> };
  getMonitor().registerResourceHook = (_: unknown, done: (error: null, answer: object) => void) =>
    done(null, {});
  const program = require('../index') as () => Promise<unknown>;
  const loaded = at();
  await program();
  await runtime.disconnect();
  const awsx = Object.keys(require.cache).some((path) => path.includes(join('@pulumi', 'awsx')));
  process.stdout.write(`${JSON.stringify({ sdk, loaded, built: at(), resources, awsx })}\n`);
}

main();
