// npm run deploy-role -- STACK ACCOUNT: the policies of the role that deploys a stack, as JSON.
import { deployPolicies } from '../deployments/deploy-role';
import { LakeError, UsageError } from '../engines/engine';
import { ROOT } from '../engines/root';
import { lake } from '../pipeline';
import { stackSettings } from './stack-settings';

async function main([stack, account = '']: readonly string[]): Promise<void> {
  if (stack === undefined || !/^\d{12}$/.test(account))
    throw new UsageError(
      'npm run deploy-role -- STACK ACCOUNT, such as: npm run deploy-role -- dev 123456789012',
    );
  const settings = await stackSettings(lake, ROOT, stack);
  const { region } = settings;
  if (region === undefined) throw new LakeError(`Pulumi.${stack}.yaml has no aws:region; set it`);
  process.stdout.write(`${JSON.stringify(deployPolicies(settings, { account, region }), undefined, 2)}\n`);
}

main(process.argv.slice(2)).catch((error: Error) => {
  if (!(error instanceof LakeError || error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
