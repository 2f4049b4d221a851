import MarkdownIt from 'markdown-it';
import { column, described, HOSTILE, job, table } from '../tests/support/descriptions';
import type { Description } from './description';
import { parsePreview } from './infrastructure';
import { MOST_CHARACTERS, markdownOf } from './markdown';
import { type Review, reviewOf } from './review';
import { message, plain, say, type Text } from './text';

// CommonMark with GFM's tables and links; `linkify` is GFM's autolinks and more.
const github = new MarkdownIt({ html: true, linkify: true });

interface Token {
  readonly type: string;
  readonly tag: string;
  readonly content: string;
  readonly children?: readonly Token[] | null;
}
const tokensOf = (markdown: string): Token[] =>
  (github.parse(markdown, {}) as Token[]).flatMap((token) => [token, ...(token.children ?? [])]);

/** What is drawn of a comment besides its text: elements, and HTML as it stands. */
const skeletonOf = (markdown: string) =>
  tokensOf(markdown).flatMap(({ type, tag, content }) =>
    /^<\/?code>$/.test(content)
      ? []
      : type === 'html_block' || type === 'html_inline'
        ? [content.trim()]
        : ['text', 'inline', 'code_inline', 'fence', 'softbreak', 'text_special'].includes(type)
          ? []
          : [`${type} ${tag}`],
  );

/** What people read outside of code, where GitHub looks for mentions and references. */
const proseOf = (markdown: string) =>
  tokensOf(markdown)
    .filter(({ type }) => type === 'text' || type === 'text_special')
    .map(({ content }) => content)
    .join('');

const reviewSaying = (of: string, words: (of: string) => Text): Review => ({
  ref: of,
  sections: [
    {
      title: 'Data',
      summary: words(of),
      findings: Array.from({ length: 9 }, () => ({ level: 'look' as const, text: ['it is ', ...words(of)] })),
      tables: [
        {
          caption: say`of ${of}`,
          head: [say`${of}`, ['b']],
          rows: [
            [say`${of}`, say`x`],
            [['z'], say`${of}`],
          ],
        },
      ],
    },
  ],
});

describe.each(HOSTILE.map((of) => [JSON.stringify(of).slice(0, 40), of]))('%s', (_name, of) => {
  test.each([
    ['a name', (one: string) => say`${one}`],
    ['a message', message],
  ] as const)('as %s changes nothing but text', (_, words) => {
    const comment = markdownOf(reviewSaying(of, words));
    // A blank is said to be one, in italics.
    const harmless = of.trim() === '' ? of : 'harmless';
    expect(skeletonOf(comment)).toEqual(skeletonOf(markdownOf(reviewSaying(harmless, words))));
    expect(proseOf(comment)).not.toMatch(/@[a-z]|#\d|GH-\d|https?:\/\/e|www\.e/i);
    expect(comment.isWellFormed()).toBe(true);
    expect(comment).not.toMatch(/[\0\u202e]/);
  });
});

test('what is in code is read as it was written', () => {
  for (const one of ['a|b', 'a\\|b', '`', '``a```b', '<script>', '@team', ' a ', '$1', '&lt;']) {
    const comment = markdownOf(reviewSaying(one, (text) => say`${text}`));
    const codes = tokensOf(comment).filter(({ type }) => type === 'code_inline');
    expect(codes[0]?.content).toBe(one);
    expect(github.render(comment)).toContain(
      `<td><code>${github.utils.escapeHtml(one)}</code></td>`.replaceAll('&quot;', '"'),
    );
  }
});

const reviewed = (base: Description, head: Description) =>
  reviewOf({ ref: 'main', base, head, previews: [] });

test('10,000 columns fit', () => {
  const names = Array.from({ length: 10_000 }, (_, i) => `column_${i}_${'@'.repeat(50)}`);
  const wide = table({ columns: Object.fromEntries(names.map((name) => [name, column()])) });
  const comment = markdownOf(
    reviewed(described({ tables: { t: table({ columns: {} }) } }), described({ tables: { t: wide } })),
  );
  expect(comment).toContain('and 9,960 more');
  expect(comment.length).toBeLessThan(MOST_CHARACTERS);
});

test('what does not fit is left out from its end, and the verdict stays', () => {
  const tables = (n: number) =>
    Object.fromEntries(Array.from({ length: n }, (_, i) => [`t${i}${'`|'.repeat(100)}`, table()]));
  const steps = Array.from({ length: 500 }, (_, i) => ({
    op: 'delete',
    urn: `urn:pulumi:dev::p::aws:s3/bucket:Bucket::${'`'.repeat(150)}${i}`,
  }));
  const stacks = Array.from({ length: 12 }, (_, i) => parsePreview(`stack${i}`, JSON.stringify({ steps })));
  const review = reviewOf({
    ref: 'main',
    base: described({ tables: tables(400) }),
    head: described({ tables: {} }),
    previews: stacks,
  });
  const padded: Review = {
    ...review,
    sections: [
      ...review.sections,
      ...Array.from({ length: 9 }, () => review.sections[0] as Review['sections'][number]),
    ],
  };
  const comment = markdownOf(padded);
  expect(comment.length).toBeLessThan(MOST_CHARACTERS);
  expect(comment).toMatch(/^<!-- lake review -->\n\n### 🛑 Breaking\n/);
  expect(comment).toMatch(/left out: too long\)\n$/);
  // The first sections are whole: what folds is closed again.
  const html = tokensOf(comment)
    .filter(({ type }) => type === 'html_block')
    .map(({ content }) => content);
  expect(html.filter((one) => one.startsWith('<details>'))).toHaveLength(
    html.filter((one) => one.startsWith('</details>')).length,
  );
});

test('a chart that GitHub does not draw is left out, and said', () => {
  const reader = job({ inputs: ['t'] });
  const jobs = Object.fromEntries(Array.from({ length: 501 }, (_, i) => [`job${i}`, reader]));
  const tables = Object.fromEntries([...Object.keys(jobs), 't'].map((name) => [name, table()]));
  const changed = { ...tables, t: table({ entity: 'x' }) };
  const review = reviewed(described({ tables, jobs }), described({ tables: changed, jobs }));
  const lineage = review.sections.find(({ title }) => title === 'Lineage');
  expect(plain(lineage?.summary ?? [])).toBe('1 changed, 501 downstream: more than GitHub draws');
  expect(lineage?.chart).toBeUndefined();
});
