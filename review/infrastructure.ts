import type { Finding, Level, Section } from './finding';
import { grouped, message, say } from './text';

/** What a preview of a stack would do. */
export interface Preview {
  readonly stack: string;
  readonly steps: readonly {
    readonly op: string;
    readonly type: string;
    readonly name: string;
    /** Whether AWS keeps it: Pulumi only forgets it. */
    readonly isKept: boolean;
  }[];
  readonly violations: readonly {
    readonly policy: string;
    readonly isMandatory: boolean;
    readonly message: string;
  }[];
  readonly errors: readonly string[];
}

interface Step {
  readonly op: string;
  readonly urn: string;
  /** In a document, and in an event. */
  readonly oldState?: State;
  readonly old?: State;
}

interface State {
  readonly retainOnDelete?: boolean;
}

/** What `pulumi preview --json` prints, or, with PULUMI_ENABLE_STREAMING_JSON_PREVIEW, each line: which alone has policies. */
interface Printed {
  readonly steps?: readonly Step[];
  readonly diagnostics?: readonly { readonly severity?: string; readonly message?: string }[];
  readonly resourcePreEvent?: { readonly metadata: Step };
  readonly diagnosticEvent?: { readonly severity?: string; readonly message?: string };
  readonly policyEvent?: {
    readonly policyName?: string;
    readonly enforcementLevel?: string;
    readonly message?: string;
  };
}

/** Reads what Pulumi printed, as one document or as a line an event. Throws a SyntaxError where it is neither. */
export function parsePreview(stack: string, text: string): Preview {
  const parts = documentsOf(text);
  const diagnostics = parts.flatMap(({ diagnostics = [], diagnosticEvent }) => [
    ...diagnostics,
    ...(diagnosticEvent ? [diagnosticEvent] : []),
  ]);
  const all = parts.flatMap(({ steps = [], resourcePreEvent: event }) => [
    ...steps,
    ...(event ? [event.metadata] : []),
  ]);
  // What is replaced comes in several steps.
  const steps = new Map(
    all.map((step) => [step.urn, /replace/.test(step.op) ? { ...step, op: 'replace' } : step]),
  );
  return {
    stack,
    steps: [...steps.values()].map(({ op, urn, oldState, old }) => {
      // urn:pulumi:stack::project::type::name, the type with those of its parents before it
      const [, , types = '', ...name] = String(urn).split('::');
      const isKept = (oldState ?? old)?.retainOnDelete === true;
      return { op: String(op), type: types.split('$').at(-1) ?? '', name: name.join('::'), isKept };
    }),
    violations: parts.flatMap(({ policyEvent: event }) =>
      event
        ? [
            {
              policy: event.policyName ?? '',
              isMandatory: event.enforcementLevel === 'mandatory',
              message: bare(event.message),
            },
          ]
        : [],
    ),
    errors: diagnostics.filter(({ severity }) => severity === 'error').map(({ message }) => bare(message)),
  };
}

function documentsOf(text: string): Printed[] {
  try {
    return [JSON.parse(text)];
  } catch {
    return text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [JSON.parse(line) as Printed]));
  }
}

/** Without the marks that Pulumi puts for colours. */
const bare = (text = '') => text.replaceAll(/<\{%.*?%\}>/g, '').trim();

/** What is lost with a resource that is replaced or deleted. Of what is not here, nothing: it is made again as it was. */
const LOSSES: Readonly<Record<string, string>> = {
  'aws:s3/bucket:Bucket': 'its data',
  'aws:s3/bucketV2:BucketV2': 'its data',
  'aws:kms/key:Key': 'all data that it encrypts: nobody can read it any more',
  'aws:secretsmanager/secret:Secret': 'the key of pseudonyms: those that follow are others',
  'aws:secretsmanager/secretVersion:SecretVersion': 'the key of pseudonyms: those that follow are others',
  'aws:glue/catalogDatabase:CatalogDatabase':
    "every table's entry of the catalog; files stay, and no query finds them",
  'aws:glue/catalogTable:CatalogTable':
    "the table's entry of the catalog; files stay, and no query finds them",
  'aws:cloudwatch/logGroup:LogGroup': 'the logs',
  'aws:cloudtrail/trail:Trail': 'the records of what happens in between',
};

const WORDS: Readonly<Record<string, string>> = {
  create: 'created',
  update: 'changed',
  delete: 'deleted',
  replace: 'replaced',
};

/** `link` leads to all of a diff. */
export function infrastructureSection(previews: readonly Preview[], link?: string): Section {
  const findings = previews.flatMap((preview) => findingsOf(preview));
  const summary = previews.flatMap(({ stack, steps }, i) => [
    ...(i === 0 ? [] : ['; ']),
    ...say`${stack}`,
    `: ${countsOf(steps)}`,
  ]);
  const where: Finding[] = link ? [{ level: 'note', text: say`the whole diff: ${link}` }] : [];
  return { title: 'Infrastructure', summary, findings: [...findings, ...where] };
}

function countsOf(steps: Preview['steps']) {
  const counts = Object.entries(WORDS).flatMap(([op, word]) => {
    const n = steps.filter((step) => step.op === op).length;
    return n > 0 ? [`${grouped(n)} ${word}`] : [];
  });
  return counts.join(', ') || 'nothing changes';
}

function findingsOf({ stack, steps, violations, errors }: Preview): Finding[] {
  const policies = [...new Set(violations.map(({ policy }) => policy))].map((name) => ({
    name,
    broken: violations.filter(({ policy }) => policy === name),
  }));
  const going = steps.filter(({ op }) => op === 'replace' || op === 'delete');
  return [
    ...errors.map(
      (error): Finding => ({
        level: 'breaking',
        text: [...say`${stack}: the preview fails: `, ...message(error)],
      }),
    ),
    ...policies.map(({ name, broken }): Finding => {
      const level: Level = broken.some(({ isMandatory }) => isMandatory) ? 'breaking' : 'look';
      const times = broken.length === 1 ? '' : ` ${grouped(broken.length)} times, first`;
      const why = message(broken[0]?.message ?? '');
      return { level, text: [...say`${stack}: the policy ${name} is broken`, `${times}: `, ...why] };
    }),
    ...going.map(({ op, type, name, isKept }): Finding => {
      const loss = LOSSES[type];
      const what = say`${stack}: ${name} (${type}) is ${message(WORDS[op] ?? op)}`;
      if (isKept) return { level: 'look', text: [...what, '; AWS keeps the old one, which Pulumi forgets'] };
      return loss
        ? { level: 'loss', text: [...what, `; lost: ${loss}`] }
        : { level: 'look', text: [...what, '; nothing is lost'] };
    }),
  ];
}
