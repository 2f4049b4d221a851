import { stackIn, withPulumi } from './support/pulumi';
import { join } from 'node:path';

const ROOT = join(__dirname, '..');

withPulumi('the program with the real engine', () => {
  it('deploys from nothing and then changes nothing', async () => {
    const stack = await stackIn({ program: ROOT, stack: 'dev', secrets: { pseudonymKey: 'k'.repeat(64) } });
    const preview = await stack.preview();
    console.log(preview.stdout.slice(-3000), preview.stderr.slice(-3000), preview.steps.length);
    const up = await stack.up();
    console.log(up.stdout.slice(-3000), up.stderr.slice(-3000));
  }, 200_000);
});
