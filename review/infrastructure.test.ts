import { infrastructureSection, parsePreview } from './infrastructure';
import { plain } from './text';

const urn = (types: string, name: string) => `urn:pulumi:dev::shop::lakehouse:index:Zone$${types}::${name}`;
const BUCKET = urn('aws:s3/bucket:Bucket', 'shop-trusted-bucket');
const KEPT = urn('aws:s3/bucket:Bucket', 'shop-curated-bucket');
const TABLE = urn('aws:glue/catalogTable:CatalogTable', 'shop-orders');
const ROLE = urn('aws:iam/role:Role', 'shop-role');

/** The same preview as Pulumi prints it: one document, or an event a line; the latter alone has policies. */
const DOCUMENT = {
  steps: [
    { op: 'delete', urn: BUCKET, oldState: { urn: BUCKET } },
    { op: 'delete', urn: KEPT, oldState: { urn: KEPT, retainOnDelete: true } },
    { op: 'replace', urn: TABLE, oldState: {}, newState: {} },
    { op: 'delete', urn: ROLE, oldState: {} },
    { op: 'create', urn: urn('aws:sns/topic:Topic', 'alerts'), newState: {} },
    { op: 'same', urn: urn('aws:sns/topic:Topic', 'other') },
  ],
  changeSummary: { create: 1 },
};
const EVENTS = [
  { preludeEvent: { config: {} } },
  ...DOCUMENT.steps.flatMap(({ op, urn: at, oldState }) => {
    const metadata = { op, urn: at, old: oldState ?? null };
    const event = (more: object) => ({ resourcePreEvent: { metadata: { ...metadata, ...more } } });
    return op === 'replace'
      ? [event({ op: 'create-replacement' }), event({}), event({ op: 'delete-replaced' })]
      : [event({})];
  }),
  {
    policyEvent: {
      policyName: 'no-star',
      enforcementLevel: 'mandatory',
      message: '<{%reset%}>a * is too much<{%reset%}>\n',
    },
  },
  { policyEvent: { policyName: 'tags', enforcementLevel: 'advisory', message: 'no tags' } },
  { diagnosticEvent: { severity: 'error', message: '<{%fg 1%}>it fails<{%reset%}>' } },
  { diagnosticEvent: { severity: 'info#err', message: 'no error' } },
]
  .map((event) => JSON.stringify(event))
  .join('\n');

const said = (text: string) =>
  infrastructureSection([parsePreview('dev', text)]).findings.map(
    (one) => `${one.level}: ${plain(one.text)}`,
  );

const GOING = [
  'loss: dev: shop-trusted-bucket (aws:s3/bucket:Bucket) is deleted; lost: its data',
  'look: dev: shop-curated-bucket (aws:s3/bucket:Bucket) is deleted; AWS keeps the old one, which Pulumi forgets',
  "loss: dev: shop-orders (aws:glue/catalogTable:CatalogTable) is replaced; lost: the table's entry of the catalog; files stay, and no query finds them",
  'look: dev: shop-role (aws:iam/role:Role) is deleted; nothing is lost',
];

test('a document says what goes and what is lost with it', () => {
  expect(said(JSON.stringify(DOCUMENT, undefined, 4))).toEqual(GOING);
});

test('events say the same, and which policies are broken and what fails', () => {
  expect(said(EVENTS)).toEqual([
    'breaking: dev: the preview fails: it fails',
    'breaking: dev: the policy no-star is broken: a * is too much',
    'look: dev: the policy tags is broken: no tags',
    ...GOING,
  ]);
});

test('the title counts, a replaced resource once', () => {
  const previews = [parsePreview('dev', EVENTS), parsePreview('prod', '{"steps":[]}')];
  expect(plain(infrastructureSection(previews).summary)).toBe(
    'dev: 1 created, 3 deleted, 1 replaced; prod: nothing changes',
  );
});

test('what is no preview is refused', () =>
  expect(() => parsePreview('dev', 'Previewing update')).toThrow(SyntaxError));
