import type { Settings } from '../components/settings';
import { type Estimate, estimate } from '../cost/estimate';
import { type Usage, usageBy } from '../cost/usage';
import { LakeError, UsageError } from '../engines/engine';
import type { Project } from '../engines/project';
import { withoutAddress } from '../model';
import { stackSettings, stacksIn } from './stack-settings';
import { textTable } from './table';
import { harmless, wrapped } from './text';

export interface CostOptions {
  readonly stack: string;
  readonly runs?: number;
  readonly landingGb?: number;
  readonly queries?: number;
  readonly json?: boolean;
}

/** `lake cost`. Throws a UsageError for a stack that is none, a LakeError for a bad file. */
export async function costCommand(project: Project, options: CostOptions): Promise<void> {
  const { settings, usage, ...found } = await costOf(project, options);
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ stack: settings.name, ...found, usage }, null, 2)}\n`
      : harmless(report(settings, found)),
  );
}

export interface StackCost extends Estimate {
  readonly settings: Settings;
  readonly usage: Usage;
}

async function costOf({ dir, definition }: Project, options: CostOptions): Promise<StackCost> {
  const { pipeline, seconds } = definition;
  const settings = await stackSettings(pipeline, dir, options.stack);
  const usage = usageOf(options, settings, seconds);
  return { settings, usage, ...estimate(pipeline, settings, usage) };
}

/** What each stack of the lakehouse's folder costs a month, or why its file cannot be read. */
export const stackCosts = async (
  project: Project,
): Promise<({ readonly stack: string } & (StackCost | { readonly fault: string }))[]> =>
  Promise.all(
    (await stacksIn(project.dir)).map(async (stack) => {
      try {
        return { stack, ...(await costOf(project, { stack })) };
      } catch (error) {
        if (!(error instanceof LakeError)) throw error;
        return { stack, fault: withoutAddress(error.message) };
      }
    }),
  );

function usageOf(
  { runs, landingGb, queries }: CostOptions,
  { start }: Settings,
  seconds: Readonly<Record<string, number>> = {},
): Usage {
  if (runs !== undefined && start !== 'demand' && start !== 'files') {
    throw new UsageError(`--runs is for a stack without a schedule; this one runs by ${start}`);
  }
  return {
    ...usageBy(seconds),
    ...(runs !== undefined && { runs }),
    ...(landingGb !== undefined && { landingGigabytes: landingGb }),
    ...(queries !== undefined && { queries }),
  };
}

function report(settings: Settings, { lines, total, prices, assumptions }: Estimate): string {
  const money = (usd: number) => (usd > 0 && usd < 0.5 ? '< 1' : usd.toFixed(0));
  const table = textTable(
    [{ name: 'class' }, { name: 'a month' }, { name: 'USD', right: true }],
    [...lines.map((line) => [line.class, line.what, money(line.monthly)]), ['total', '', money(total)]],
  );
  return [
    `${settings.name} by the prices of ${prices.region} of ${prices.date}:`,
    '',
    table,
    '',
    ...assumptions.map((text) => wrapped(`- ${text}`, '  ')),
    '',
  ].join('\n');
}
