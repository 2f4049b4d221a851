import type { Settings } from '../components/settings';
import { type Estimate, estimate } from '../cost/estimate';
import { USAGE, type Usage } from '../cost/usage';
import { UsageError } from '../engines/engine';
import type { Pipeline } from '../model';
import { stackSettings } from './stack-settings';
import { textTable } from './table';
import { harmless, wrapped } from './text';

export interface CostOptions {
  readonly stack: string;
  readonly runs?: number;
  readonly landingGb?: number;
  readonly queries?: number;
  readonly json?: boolean;
}

/** `lake cost`. `root` holds Pulumi's files. Throws a UsageError for a stack that is none, a LakeError for a bad file. */
export async function costCommand(pipeline: Pipeline, root: string, options: CostOptions): Promise<void> {
  const settings = await stackSettings(pipeline, root, options.stack);
  const usage = usageOf(options, settings);
  const found = estimate(pipeline, settings, usage);
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ stack: settings.name, ...found, usage }, null, 2)}\n`
      : harmless(report(settings, found)),
  );
}

function usageOf({ runs, landingGb, queries }: CostOptions, { start }: Settings): Usage {
  if (runs !== undefined && start !== 'demand' && start !== 'files') {
    throw new UsageError(`--runs is for a stack without a schedule; this one runs by ${start}`);
  }
  return {
    ...USAGE,
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
