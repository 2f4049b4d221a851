import { byLevel, type Finding, type Grid, type Level, type Section, verdictOf } from './finding';
import { findingsOf, type Review } from './review';
import { grouped, lineOf, type Text } from './text';

/** GitHub takes no longer comment, in characters. */
export const MOST_CHARACTERS = 65_536;
/** By which its comment is found again. */
export const MARKER = '<!-- lake review -->';
/** Of one list or table. */
const MOST_ITEMS = 40;
const MOST_COLUMNS = 16;
/** Of one name or value. */
const MOST_OF_VALUE = 160;
const MOST_OF_MESSAGE = 600;
const MOST_WHY = 3;
/** Longer sections fold. */
const MOST_OPEN = 6;

const SIGNS: Readonly<Record<Level, string>> = {
  breaking: '🛑',
  loss: '🛑',
  access: '🔑',
  look: '👀',
  note: '·',
};
const VERDICTS = { safe: '✅ Safe', 'look here': '👀 Look here', breaking: '🛑 Breaking' } as const;

/** A review as one comment of GitHub: the summary first, the rest cut from its end where it would be too long. */
export function markdownOf(review: Review): string {
  const { verdict, why } = verdictOf(findingsOf(review));
  const reasons = why.slice(0, MOST_WHY).map(({ text }) => textOf(text));
  const more = why.length > MOST_WHY ? `; and ${grouped(why.length - MOST_WHY)} more` : '';
  const compared = review.sections.map(({ title }) => title.toLowerCase()).join(', ');
  const said = reasons.length > 0 ? `${reasons.join('; ')}${more}` : `nothing to look at in ${compared}`;
  const head = [MARKER, `### ${VERDICTS[verdict]}`, `Against ${textOf([{ of: review.ref }])}: ${said}.`];
  const sections = review.sections.filter(
    ({ summary, findings }) => summary.length > 0 || findings.length > 0,
  );
  const comment = (whole: number) =>
    [
      ...head,
      ...sections.map((section, i) =>
        i < whole ? sectionOf(section) : titleOf(section, ' (left out: too long)'),
      ),
    ].join('\n\n');
  let whole = sections.length;
  // From the least important end, what a section has besides its title goes.
  while (whole > 0 && comment(whole).length >= MOST_CHARACTERS) whole--;
  return `${comment(whole)}\n`;
}

const titleOf = ({ title, summary }: Section, more = '') =>
  `#### ${title}${summary.length > 0 ? `: ${textOf(summary)}` : ''}${more}`;

function sectionOf(section: Section): string {
  const { findings, tables = [], chart } = section;
  const sorted = findings.toSorted(byLevel);
  const list = sorted.slice(0, MOST_ITEMS).map(itemOf);
  if (sorted.length > MOST_ITEMS) list.push(`- and ${grouped(sorted.length - MOST_ITEMS)} more`);
  const open = list.slice(0, MOST_OPEN);
  const rest = [
    list.slice(MOST_OPEN).join('\n'),
    ...tables.slice(0, MOST_ITEMS).map(gridOf),
    chart ? fenced(chart) : '',
  ].filter((part) => part !== '');
  const folded =
    rest.length === 0
      ? []
      : [
          `<details><summary>${foldedTitle(section, list.length - MOST_OPEN)}</summary>`,
          ...rest,
          '</details>',
        ];
  return [titleOf(section), ...(open.length > 0 ? [open.join('\n')] : []), ...folded].join('\n\n');
}

const foldedTitle = ({ tables = [], chart }: Section, more: number) =>
  [
    ...(more > 0 ? [`${grouped(more)} more`] : []),
    ...(tables.length > 0 ? ['columns and rows'] : []),
    ...(chart ? ['flowchart'] : []),
  ].join(', ');

const itemOf = ({ level, text }: Finding) => `- ${SIGNS[level]} ${textOf(text)}`;

function gridOf({ caption, head, rows }: Grid): string {
  const cellsOf = (row: readonly Text[]) =>
    `| ${row
      .slice(0, MOST_COLUMNS)
      .map((cell) => textOf(cell, true))
      .join(' | ')} |`;
  const rule = `|${' --- |'.repeat(Math.min(head.length, MOST_COLUMNS))}`;
  const table = [cellsOf(head), rule, ...rows.slice(0, MOST_ITEMS).map(cellsOf)].join('\n');
  return caption ? `${textOf(caption)}:\n\n${table}` : table;
}

const fenced = (chart: string) => `\`\`\`mermaid\n${chart}\n\`\`\``;

export const textOf = (text: Text, inTable = false): string =>
  text
    .map((part) =>
      typeof part === 'string' ? part : part.isMessage ? messageOf(part.of) : codeOf(part.of, inTable),
    )
    .join('');

/** In code nothing means anything to GitHub but the end of it: no mention, no link, no HTML. */
function codeOf(text: string, inTable: boolean): string {
  const line = lineOf(text, MOST_OF_VALUE);
  if (line.trim() === '') return line === '' ? '*empty*' : '*blank*';
  // A table is cut into cells before anything else, wherever there is a bar.
  if (inTable && /[|\\]/.test(line))
    return `<code>${line.replaceAll(SIGNS_OF_MARKDOWN, (c) => `&#${c.charCodeAt(0)};`)}</code>`;
  const longest = Math.max(0, ...(line.match(/`+/g) ?? []).map(({ length }) => length));
  const fence = '`'.repeat(longest + 1);
  const space = /^[` ]|[` ]$/.test(line) ? ' ' : '';
  return `${fence}${space}${line}${space}${fence}`;
}

/** What means something within a line, to CommonMark and to GitHub's additions. */
const SIGNS_OF_MARKDOWN = /[\\`*_{}[\]<>#~|&$!]/g;

/** Words of others: every sign of Markdown escaped; mentions, references and links broken by a space of no width. */
const messageOf = (text: string) =>
  lineOf(text, MOST_OF_MESSAGE)
    .replaceAll(/@|#(?=\w)|(?<=\bwww)\.|:(?=\/\/)|(?<=\bGH)-/gi, '$&\u200b')
    .replaceAll(SIGNS_OF_MARKDOWN, '\\$&');
