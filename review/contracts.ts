import { LANGUAGES } from '../engines/job-code';
import { tokensOf } from '../engines/sql';
import { EXTENSIONS } from '../model';
import { evolutionFaults } from '../model/schema';
import type {
  ColumnDescription,
  Description,
  JobDescription,
  QueryDescription,
  TableDescription,
} from './description';
import type { Finding, Level, Section } from './finding';
import { grouped, listed, say, type Text, message as words } from './text';

/** What a change means to whoever uses the tables: other jobs, queries, typed rows, and lines that landed before. */
export function contractSection(base: Description, head: Description): Section {
  const findings = [
    ...faultFindings(base, head),
    ...tableFindings(base, head),
    ...jobFindings(base, head),
    ...queryFindings(base, head),
    ...parameterFindings(base, head),
  ];
  const changed = findings.filter(({ level }) => level !== 'note').length;
  const noted = findings.length - changed;
  const summary = [
    ...(changed > 0 ? [`${grouped(changed)} to look at`] : []),
    ...(changed > 0 && noted > 0 ? [', '] : []),
    ...(noted > 0 ? [`${grouped(noted)} without effect on who uses them`] : []),
  ];
  return { title: 'Contracts', summary, findings };
}

type Named<T> = Readonly<Record<string, T>>;

/** What only the first has, what only the second has, and what both have. */
export function paired<T>(base: Named<T>, head: Named<T>) {
  const has = (all: Named<T>, name: string) => Object.hasOwn(all, name);
  return {
    gone: Object.entries(base).filter(([name]) => !has(head, name)),
    made: Object.entries(head).filter(([name]) => !has(base, name)),
    kept: Object.entries(base).flatMap(([name, before]) =>
      has(head, name) ? [{ name, before, after: head[name] as T }] : [],
    ),
  };
}

const isSame = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/** The SQL that an engine sees: without comments, and with any white space the same. */
export function meaningOf(sql: string): string {
  let text = '';
  for (const token of tokensOf(sql)) {
    if (token.kind === 'string' || token.kind === 'name') text += token.text;
    else {
      const code = token.kind === 'comment' ? ' ' : token.text.replaceAll(/\s+/g, ' ');
      text += text.endsWith(' ') || text === '' ? code.trimStart() : code;
    }
  }
  return text.trimEnd();
}

/** The meaning of a job's code; white space is part of Python's. */
type Code = Pick<JobDescription, 'language' | 'code'>;
export const codeOf = ({ language, code }: Code) => (language === 'sql' ? meaningOf(code) : code);

/** SQL that does not fit the contracts any more. */
function faultFindings(base: Description, head: Description): Finding[] {
  // A line may have moved.
  const keyOf = ({ path, message }: Description['faults'][number]) =>
    `${path.replace(/:\d+$/, '')}: ${message}`;
  const before = new Set(base.faults.map(keyOf));
  return head.faults
    .filter((fault) => !before.has(keyOf(fault)))
    .map(({ path, message }) => ({
      level: 'breaking',
      text: say`${path} does not fit the contracts: ${words(message)}`,
      path,
    }));
}

function tableFindings(base: Description, head: Description): Finding[] {
  const { gone, made, kept } = paired(base.tables, head.tables);
  return [
    ...gone.map(([name, { format }]): Finding => {
      const lost =
        format !== 'iceberg'
          ? ': its files are read no more'
          : ': no query finds its rows, and its entry of the catalog goes';
      return {
        level: 'loss',
        text: [...say`the table ${name} is gone`, lost, ...readBy(base, name)],
        path: name,
      };
    }),
    ...made.map(([name, { columns, zone }]): Finding => {
      const n = Object.keys(columns).length;
      return {
        level: 'note',
        text: [
          ...say`the table ${name} is new in ${zone}, with `,
          n === 1 ? '1 column' : `${grouped(n)} columns`,
        ],
        path: name,
      };
    }),
    ...kept.flatMap(({ name, before, after }) => changesOf(name, before, after, base)),
  ];
}

/** Who in the base reads a table, or a column of it. */
function readBy({ jobs, queries, tables }: Description, table: string, column?: string): Text {
  // `t.*` of a job's SQL would read it too; then the column is one of the output's.
  const names = (code: string) => column === undefined || new RegExp(`\\b${column}\\b`, 'i').test(code);
  const readers = [
    ...Object.entries(jobs).flatMap(([name, job]) =>
      job.inputs.includes(table) && (names(codeOf(job)) || tables[name]?.columns[column as string])
        ? [fileOf(name, job)]
        : [],
    ),
    ...Object.entries(queries).flatMap(([name, { tables: read, sql }]) =>
      read.includes(table) && names(meaningOf(sql)) ? [`queries/${name}.sql`] : [],
    ),
  ];
  return readers.length === 0 ? [] : ['; it was read by ', ...listed(readers)];
}

function changesOf(
  name: string,
  before: TableDescription,
  after: TableDescription,
  base: Description,
): Finding[] {
  const { gone, made, kept } = paired(before.columns, after.columns);
  const isSource = after.format !== 'iceberg';
  const at = (column: string) => `${name}.columns.${column}`;
  const frozen =
    before.iceberg && after.iceberg
      ? evolutionFaults(name, before.iceberg as Shape, after.iceberg as Shape)
      : [];
  const ofTable = (
    property: keyof TableDescription,
    level: Level,
    say: (b: unknown, a: unknown) => Text,
  ): Finding[] =>
    isSame(before[property], after[property])
      ? []
      : [{ level, text: say(before[property], after[property]), path: name }];
  return [
    ...ofTable('format', 'breaking', (b, a) => say`${name} was ${formatText(b)} and is ${formatText(a)}`),
    ...frozen.map(({ path, message }): Finding => {
      const column = path.startsWith(`${name}.columns.`) ? path.slice(at('').length) : undefined;
      const isGone = gone.some(([one]) => one === column);
      return {
        level: isGone ? 'loss' : 'breaking',
        text: [
          ...say`${path} ${words(message)}`,
          ...(column === undefined ? [] : readBy(base, name, column)),
        ],
        path,
      };
    }),
    ...(isSource
      ? gone.map(([column]): Finding => {
          const text = [
            ...say`${at(column)} is gone: what lines have of it is no longer read`,
            ...readBy(base, name, column),
          ];
          return { level: 'loss', text, path: at(column) };
        })
      : []),
    ...made.map(([column, contract]): Finding => newColumn(at(column), contract, isSource)),
    ...kept.flatMap((column) => columnFindings(at(column.name), column.before, column.after, isSource)),
    ...keyFindings(name, before.keys, after.keys),
    ...expectationFindings(name, before, after),
    // Of a table that a job writes, Iceberg's rules say so.
    ...(isSource
      ? ofTable(
          'zone',
          'loss',
          (b, a) =>
            say`${name} is in ${String(a)}, and was in ${String(b)}: its files are read there, and those that landed before no more`,
        )
      : []),
    ...ofTable(
      'each',
      'breaking',
      (b, a) =>
        say`a row of ${name} is each of ${String(a ?? 'its records')}; before, each of ${String(b ?? 'its records')}`,
    ),
    ...ofTable(
      'entity',
      'breaking',
      (b, a) => say`${name} reads the files of ${String(a)}, and not those of ${String(b)}`,
    ),
    ...ofTable(
      'reach',
      'look',
      (b, a) =>
        say`a person's rows are found in ${name} ${String(a ?? 'no more')}; before, ${String(b ?? 'nobody had any')}`,
    ),
    ...ofTable(
      'onMissing',
      'look',
      (b, a) =>
        say`rows of ${name} whose file is gone are as it says, ${String(a ?? 'remove')}; before, ${String(b ?? 'remove')}`,
    ),
    ...ofTable(
      'maxQuarantinedShare',
      'look',
      (b, a) => say`${name} takes a share of ${String(a)} in quarantine; before, ${String(b)}`,
    ),
    ...ofTable('description', 'note', () => say`${name} is described in other words`),
  ];
}

const formatText = (format: unknown) => (typeof format === 'string' ? format : JSON.stringify(format));

type Shape = Parameters<typeof evolutionFaults>[1];

function newColumn(path: string, { stored, nullable, pii }: ColumnDescription, isSource: boolean): Finding {
  const personal = pii ? say`, ${pii} personal data` : [];
  if (isSource && !nullable) {
    const text = [
      ...say`${path} is new and required (${stored}`,
      ...personal,
      '): lines that landed before lack it and are refused; make it nullable',
    ];
    return { level: 'breaking', text, path };
  }
  return { level: 'note', text: [...say`${path} is new (${stored}`, ...personal, ')'], path };
}

/** What may change of a column besides its place, and how much it matters. */
const PROPERTIES: readonly (readonly [keyof ColumnDescription, Level, string])[] = [
  ['identifies', 'look', 'whom it identifies'],
  ['nullable', 'look', 'whether it may be empty'],
  ['min', 'look', 'least value'],
  ['max', 'look', 'largest value'],
  ['oneOf', 'look', 'values that are allowed'],
  ['pattern', 'look', 'what it looks like'],
  ['normalize', 'look', 'form in which it is kept'],
  ['from', 'look', 'place in the record'],
  ['aliases', 'look', 'other spellings'],
];

function columnFindings(
  path: string,
  before: ColumnDescription,
  after: ColumnDescription,
  isSource: boolean,
): Finding[] {
  const shown = (value: unknown) =>
    value === undefined ? 'none' : typeof value === 'string' ? value : JSON.stringify(value);
  // Whoever may not see personal data sees what has a weaker class.
  const classes = [undefined, 'quasi', 'direct'];
  const isLoosened = classes.indexOf(after.pii) < classes.indexOf(before.pii);
  const properties = [
    ['pii', isLoosened ? 'access' : 'look', 'class of personal data'] as const,
    ...PROPERTIES,
  ];
  const found = properties.flatMap(([property, level, what]): Finding[] =>
    isSame(before[property], after[property])
      ? []
      : [
          {
            level,
            text: [
              ...say`${path}`,
              `: ${what} was `,
              ...say`${shown(before[property])}, is ${shown(after[property])}`,
            ],
            path,
          },
        ],
  );
  // Of a table that a job writes, what Iceberg does not survive is said already.
  if (
    before.stored !== after.stored &&
    (isSource || before.type === 'pseudonym' || after.type === 'pseudonym')
  ) {
    const why = isSource ? ': lines that are written as before may be refused' : '';
    found.unshift({
      level: 'breaking',
      text: [...say`${path} was ${before.stored} and is ${after.stored}`, why],
      path,
    });
  }
  if (before.description !== after.description)
    found.push({ level: 'note', text: say`${path} is described in other words`, path });
  return found;
}

function keyFindings(
  name: string,
  before: TableDescription['keys'],
  after: TableDescription['keys'],
): Finding[] {
  const has = (keys: TableDescription['keys'], key: readonly string[]) =>
    keys.some((one) => isSame(one, key));
  return [
    ...before
      .filter((key) => !has(after, key))
      .map(
        (key): Finding => ({
          level: 'look',
          text: [...say`${name}: rows may share `, ...listed(key), ' now, which were a key'],
          path: name,
        }),
      ),
    ...after
      .filter((key) => !has(before, key))
      .map(
        (key): Finding => ({
          level: 'look',
          text: [...say`${name}: a run fails where rows share `, ...listed(key), ', a key now'],
          path: name,
        }),
      ),
  ];
}

function expectationFindings(table: string, before: TableDescription, after: TableDescription): Finding[] {
  const { gone, made, kept } = paired(before.expectations, after.expectations);
  // What columns and keys imply, their own changes say.
  const implied = [
    ...(after.format === 'iceberg' ? ['required_values', 'values_in_range'] : []),
    ...[...before.keys, ...after.keys].map((key) => ['unique', ...key].join('_')),
  ];
  const path = (name: string) => `${table}.expectations.${name}`;
  const find = (name: string, level: Level, text: Text): Finding[] =>
    implied.includes(name) ? [] : [{ level, text: [...say`${path(name)} `, ...text], path: path(name) }];
  return [
    ...gone.flatMap(([name, { severity }]) => find(name, 'look', say`is gone; it was a ${severity}`)),
    ...made.flatMap(([name, { severity }]) =>
      find(name, severity === 'warn' ? 'note' : 'look', say`is new, a ${severity}`),
    ),
    ...kept.flatMap(({ name, before: b, after: a }) => [
      ...(b.severity === a.severity
        ? []
        : find(name, 'look', say`was a ${b.severity} and is a ${a.severity}`)),
      ...(meaningOf(b.sql) === meaningOf(a.sql) ? [] : find(name, 'look', say`looks for other rows`)),
    ]),
  ];
}

function jobFindings(base: Description, head: Description): Finding[] {
  const { gone, made, kept } = paired<JobDescription>(base.jobs, head.jobs);
  return [
    ...gone.map(
      ([name, job]): Finding => ({
        level: 'look',
        text: say`the job ${name} is gone`,
        path: fileOf(name, job),
      }),
    ),
    ...made.map(([name, job]): Finding => {
      return {
        level: 'look',
        text: [...say`the job ${name} is new; it reads `, ...listed(job.inputs)],
        path: fileOf(name, job),
      };
    }),
    ...kept.flatMap(({ name, before, after }): Finding[] => [
      ...(isSame(before.inputs, after.inputs)
        ? []
        : [
            {
              level: 'look',
              text: [
                ...say`the job ${name} reads `,
                ...listed(after.inputs),
                '; before, ',
                ...listed(before.inputs),
              ],
              path: fileOf(name, after),
            } as const,
          ]),
      ...codeFinding(say`the job ${name}`, before, after, fileOf(name, after)),
      ...(isSame(before.increments, after.increments)
        ? []
        : [
            {
              level: 'look',
              text: say`the job ${name} makes parts of its table by another rule; here it made the whole`,
              path: fileOf(name, after),
            } as const,
          ]),
      ...(before.description === after.description
        ? []
        : [
            {
              level: 'note',
              text: say`the job ${name} is described in other words`,
              path: fileOf(name, after),
            } as const,
          ]),
    ]),
  ];
}

const fileOf = (name: string, { language }: Code) => `jobs/${name}${EXTENSIONS[language]}`;

const codeFinding = (what: Text, before: Code, after: Code, path: string): Finding[] => {
  if (before.language !== after.language) {
    const [was, is] = [LANGUAGES[before.language], LANGUAGES[after.language]];
    return [{ level: 'look', text: [...what, ` is in ${is}, and was in ${was}`], path }];
  }
  if (before.code === after.code) return [];
  return codeOf(before) === codeOf(after)
    ? [{ level: 'note', text: [...what, ': comments or white space of its SQL changed'], path }]
    : [
        {
          level: 'look',
          text: [...what, after.language === 'sql' ? ' has other SQL' : ' has other code'],
          path,
        },
      ];
};

const inSql = ({ sql }: QueryDescription) => ({ language: 'sql' as const, code: sql });

function queryFindings(base: Description, head: Description): Finding[] {
  const { gone, made, kept } = paired<QueryDescription>(base.queries, head.queries);
  const file = (name: string) => `queries/${name}.sql`;
  return [
    ...gone.map(
      ([name]): Finding => ({
        level: 'breaking',
        text: say`the query ${name} is gone: who asks for it by name gets an error`,
        path: file(name),
      }),
    ),
    ...made.map(
      ([name, { tables }]): Finding => ({
        level: 'note',
        text: [...say`the query ${name} is new; it reads `, ...listed(tables)],
        path: file(name),
      }),
    ),
    ...kept.flatMap(({ name, before, after }) => {
      const columns = paired(before.columns, after.columns);
      // One that does not bind is among the faults, and gives no columns.
      const binds = Object.keys(before.columns).length > 0 && Object.keys(after.columns).length > 0;
      const find = (level: Level, text: Text): Finding => ({
        level,
        text: [...say`the query ${name} `, ...text],
        path: file(name),
      });
      return [
        ...(binds ? columns.gone.map(([column]) => find('breaking', say`no longer gives ${column}`)) : []),
        ...(binds
          ? columns.made.map(([column, type]) => find('note', say`gives ${column} too (${type})`))
          : []),
        ...columns.kept
          .filter((column) => column.before !== column.after)
          .map((column) =>
            find('breaking', say`gives ${column.name} as ${column.after}; before, ${column.before}`),
          ),
        ...codeFinding(say`the query ${name}`, inSql(before), inSql(after), file(name)),
      ];
    }),
  ];
}

function parameterFindings(base: Description, head: Description): Finding[] {
  const { gone, made, kept } = paired(base.parameters, head.parameters);
  return [
    ...gone.map(
      ([name]): Finding => ({
        level: 'breaking',
        text: say`the parameter ${name} is gone: a run that gives it is refused`,
      }),
    ),
    ...made.map(
      ([name, { values }]): Finding => ({
        level: 'look',
        text: [...say`the parameter ${name} is new: `, ...listed(values)],
      }),
    ),
    ...kept.flatMap(({ name, before, after }) => {
      const lost = before.values.filter((value) => !after.values.includes(value));
      const won = after.values.filter((value) => !before.values.includes(value));
      return [
        ...(lost.length > 0
          ? [
              {
                level: 'breaking',
                text: [...say`the parameter ${name} no longer takes `, ...listed(lost)],
              } as const,
            ]
          : []),
        ...(won.length > 0
          ? [{ level: 'note', text: [...say`the parameter ${name} takes `, ...listed(won), ' too'] } as const]
          : []),
        ...(before.default === after.default
          ? []
          : [
              {
                level: 'look',
                text: say`the parameter ${name} is ${after.default} where a run says nothing; before, ${before.default}`,
              } as const,
            ]),
      ];
    }),
  ];
}
