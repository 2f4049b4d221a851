// npm run deploy-role -- STACK ACCOUNT: the policies of the role that deploys a stack, as JSON.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { readSettings } from '../components/settings';
import { lake } from '../pipeline';
import { deployPolicies } from './deploy-role';
import { PROJECT } from './deployments-of';

function main([stack = '', account = '']: readonly string[]): number {
  const file = join(__dirname, '..', `Pulumi.${stack}.yaml`);
  if (!/^[\w-]+$/.test(stack) || !/^\d{12}$/.test(account)) {
    process.stderr.write(
      'npm run deploy-role -- STACK ACCOUNT, such as: npm run deploy-role -- dev 123456789012\n',
    );
    return 2;
  }
  const { 'aws:region': region, ...given }: Record<string, unknown> = parse(
    readFileSync(file, 'utf8'),
  ).config;
  if (typeof region !== 'string') throw new Error(`${file} has no aws:region`);
  const values = Object.fromEntries(
    Object.entries(given).map(([key, value]) => [key.replace(`${PROJECT}:`, ''), value]),
  );
  const settings = readSettings({ project: PROJECT, stack, region, values }, lake);
  process.stdout.write(`${JSON.stringify(deployPolicies(settings, { account, region }), undefined, 2)}\n`);
  return 0;
}

process.exitCode = main(process.argv.slice(2));
