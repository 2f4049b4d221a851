import { writeFileSync } from 'node:fs';
import { ROOT } from './support/lake';
import { stackIn } from './support/pulumi';
test.each([['dev', {}], ['prod', { network: {}, start: 'files' }]])('%s', async (stack, config) => {
  const t = Date.now();
  const made = await stackIn({ program: ROOT, stack, config, secrets: { pseudonymKey: 'k'.repeat(64) } });
  const t1 = Date.now();
  const up = await made.up();
  if (up.status !== 0) throw new Error(up.stdout + up.stderr);
  const t2 = Date.now();
  const r = await made.resources();
  console.log(t1 - t, t2 - t1, Date.now() - t2, r.length);
  writeFileSync(`/tmp/access-${stack}.json`, JSON.stringify(r, null, 1));
  const sim = require('@cloud-copilot/iam-simulate');
  console.log(Object.keys(sim), require.resolve('@cloud-copilot/iam-simulate'));
}, 240000);
