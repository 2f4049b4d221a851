import { homedir } from 'node:os';
import PRICES from '../../cost/prices.json';
import { codeVersion } from '../../engines/version';
import { message } from '../text';

/** What came of a step. */
export interface StepResult {
  readonly step: string;
  readonly ok: boolean;
  readonly seconds: number;
  /** An estimate; 0 where AWS bills nothing but requests. */
  readonly usd: number;
  /** What was seen, or why it failed. */
  readonly text: string;
}

export interface SmokeReport {
  readonly stack: string;
  readonly began: Date;
  readonly steps: readonly StepResult[];
  /** What stands on AWS now, a sentence each. */
  readonly stands: readonly string[];
  /** Commands. */
  readonly remove: readonly string[];
}

/** What names an account or a person, or opens something. In this order: an ARN ends in a name or an address. */
const MASKS: readonly (readonly [RegExp, string])[] = [
  [/\barn:[\w-]+:[\w-]*:[\w-]*:\d{12}:[^\s"'`,)]+/g, 'ARN'],
  [/https?:\/\/[^\s"'`)]+/g, 'LINK'],
  [/(?<!\d)\d{12}(?!\d)/g, 'ACCOUNT'],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b/g, 'ACCESS-KEY'],
  [/\b[0-9a-f]{64}\b/gi, 'KEY'],
];

/** A text that can be sent to others: without accounts, addresses, keys, links and the name of the home folder. */
export const masked = (text: string) =>
  message(
    MASKS.reduce((shown, [what, mask]) => shown.replaceAll(what, mask), text.replaceAll(homedir(), '~')),
  );

const money = (usd: number) =>
  usd === 0 ? '' : usd < 0.01 ? usd.toFixed(Math.min(6, 1 - Math.floor(Math.log10(usd)))) : usd.toFixed(2);

/** The first line, as a cell of a table takes it. */
const cell = (text: string) => text.replace(/\n.*/s, '').replaceAll('|', '\\|');

/** The line of a step on the terminal. */
export const stepLine = ({ step, ok, seconds, usd, text }: StepResult) =>
  masked(
    `${ok ? 'ok    ' : 'FAILED'}  ${step.padEnd(16)} ${seconds.toFixed(1).padStart(7)} s  ${usd > 0 ? `about USD ${money(usd)}; ` : ''}${text}\n`,
  );

/** Markdown, masked. */
export function smokeMarkdown({ stack, began, steps, stands, remove }: SmokeReport): string {
  const failed = steps.find(({ ok }) => !ok);
  const sum = (of: 'seconds' | 'usd') => steps.reduce((total, step) => total + step[of], 0);
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const listed = (texts: readonly string[]) => texts.map((text) => `- ${text}`);
  return masked(
    [
      `# A day on AWS: the stack ${stack}`,
      '',
      failed ? `**Failed at: ${failed.step}.**` : 'Every step did what it should.',
      `Begun ${began.toISOString()}, version ${codeVersion()}.`,
      '',
      row(['step', '', 's', 'about USD', 'what was seen']),
      row(['---', '---', '---:', '---:', '---']),
      ...steps.map(({ step, ok, seconds, usd, text }) =>
        row([step, ok ? 'ok' : 'FAILED', seconds.toFixed(1), money(usd), cell(text)]),
      ),
      row(['all', '', sum('seconds').toFixed(1), money(sum('usd')), '']),
      '',
      `Prices are estimates: the list prices of ${PRICES.region} of ${PRICES.date}, all workers of a job all of its time. What a stack costs that stands is not in them: \`npx lake cost --stack ${stack}\`.`,
      ...(failed ? ['', `## Why ${failed.step} failed`, '', '```', failed.text, '```'] : []),
      '',
      '## What stands now',
      '',
      ...listed(stands),
      ...(remove.length > 0 ? ['', 'To remove it:', '', '```', ...remove, '```'] : []),
      '',
    ].join('\n'),
  );
}
