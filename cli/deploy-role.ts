// npm run deploy-role -- STACK ACCOUNT: the policies of the role that deploys a stack, as JSON.
import { resolve } from 'node:path';
import { deployPolicies } from '../deployments/deploy-role';
import { LakeError, UsageError } from '../engines/engine';
import { loadProject } from '../engines/project';
import { stackSettings } from './stack-settings';

async function main([stack, account = '']: readonly string[]): Promise<void> {
  if (stack === undefined || !/^\d{12}$/.test(account))
    throw new UsageError(
      'npm run deploy-role -- STACK ACCOUNT, such as: npm run deploy-role -- dev 123456789012',
    );
  const { dir, definition } = loadProject(resolve(''));
  const settings = await stackSettings(definition.pipeline, dir, stack);
  const { region } = settings;
  if (region === undefined) throw new LakeError(`Pulumi.${stack}.yaml has no aws:region; set it`);
  process.stdout.write(
    `${JSON.stringify(deployPolicies(definition.pipeline, settings, { account, region }), undefined, 2)}\n`,
  );
}

main(process.argv.slice(2)).catch((error: Error) => {
  if (!(error instanceof LakeError || error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
