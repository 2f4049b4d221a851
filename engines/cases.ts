import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { type Document, isMap, LineCounter, type Node, parseDocument } from 'yaml';
import { type Columns, choiceFault, type Fault, type Job, refinedType, runTime } from '../model';

/**
 * A row of a case, by column. Instants are text in ISO 8601 with milliseconds and Z, days are YYYY-MM-DD; both
 * tables of a source and all others are written as a job's SQL sees them.
 */
export type CaseRow = Readonly<Record<string, string | number | boolean | null>>;

/** Rows in, rows out: one thing that a job's SQL must do. */
export interface Case {
  readonly name: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** Every input of the job, with whole rows. */
  readonly given: Readonly<Record<string, readonly CaseRow[]>>;
  /** Whole rows of the output in any order, pseudonyms still in the clear. */
  readonly expect: readonly CaseRow[];
}

export interface Cases {
  readonly cases: readonly Case[];
  readonly faults: readonly Fault[];
}

export const casesFile = (dir: string, job: Job) => join(dir, `${job.name}.cases.yaml`);

type Path = readonly (string | number)[];

/** Whether a text is the ISO form of what it stands for; Date.parse alone takes a 30 February for a day in March. */
const isIso = (value: unknown, form: (instant: string) => string) =>
  typeof value === 'string' &&
  !Number.isNaN(Date.parse(value)) &&
  form(new Date(value).toISOString()) === value;

const VALUE_RULES = {
  text: { rule: 'a string', test: (v: unknown) => typeof v === 'string' },
  pseudonym: { rule: 'a string, in the clear', test: (v: unknown) => typeof v === 'string' },
  int: { rule: 'a whole number', test: Number.isSafeInteger },
  double: { rule: 'a number', test: Number.isFinite },
  decimal: { rule: 'a number', test: Number.isFinite },
  boolean: { rule: 'true or false', test: (v: unknown) => typeof v === 'boolean' },
  json: { rule: 'a string, the text of the JSON', test: (v: unknown) => typeof v === 'string' },
  timestamp: {
    rule: 'an instant like 2023-05-01T10:00:00.000Z',
    test: (v: unknown) => isIso(v, (instant) => instant),
  },
  date: { rule: 'a day like 2023-05-01', test: (v: unknown) => isIso(v, (instant) => instant.slice(0, 10)) },
} as const;

/**
 * Reads the cases of a job:
 *
 *     defaults:                  # values of columns that a row does not name; may be left out
 *       customer_landing: { phone: '5550100' }
 *     cases:
 *       - name: what the job must do
 *         parameters: { consent: since-grant }      # default: each parameter's own
 *         given: { customer_landing: [{ email: a@example.com, … }] }
 *         expect: [{ … }]
 *
 * A nullable column that neither a row nor the defaults name is NULL. Faults, each with file and line: an input
 * that a case leaves out, an unknown table, column, parameter or value, a value of another type, a missing one.
 */
export async function readCases(dir: string, job: Job): Promise<Cases> {
  const file = relative('', casesFile(dir, job));
  let text: string;
  try {
    text = await readFile(casesFile(dir, job), 'utf8');
  } catch {
    return {
      cases: [],
      faults: [{ path: file, message: `is missing: write the cases that define ${job.name}` }],
    };
  }
  return new Reader(file, text, job).read();
}

type Plain = Record<string, unknown>;

// JSON would tell NaN as null.
const tell = (value: unknown) => (typeof value === 'number' ? String(value) : JSON.stringify(value));

/** A path in words: its last name, or which item of a list of that name. */
function placeOf(path: Path): string {
  const last = path.at(-1) ?? 'the file';
  if (typeof last === 'string') return last;
  const list = path.at(-2);
  return list === 'cases' ? `case ${last + 1}` : `row ${last + 1} of ${list}`;
}

class Reader {
  private readonly faults: Fault[] = [];
  private readonly lines = new LineCounter();
  private readonly document: Document.Parsed;
  private readonly defaults = new Map<string, Plain>();

  constructor(
    private readonly file: string,
    text: string,
    private readonly job: Job,
  ) {
    // The core schema leaves dates as the text they are written as.
    this.document = parseDocument(text, { lineCounter: this.lines, schema: 'core' });
  }

  read(): Cases {
    for (const error of this.document.errors) {
      this.faults.push({
        path: `${this.file}:${error.linePos?.[0].line ?? 1}`,
        message: (error.message.split('\n')[0] as string).replace(/ at line \d+, column \d+:$/, ''),
      });
    }
    if (this.faults.length > 0) return { cases: [], faults: this.faults };
    const root = this.object([], this.document.toJS() ?? {});
    this.known([], root, ['defaults', 'cases']);
    const list = root.cases;
    if (!Array.isArray(list) || list.length === 0) {
      this.fault(['cases'], 'has no case; a case is { name, given, expect }');
      return { cases: [], faults: this.faults };
    }
    const defaults = this.object(['defaults'], root.defaults ?? {});
    this.known(['defaults'], defaults, [...this.tables.keys()]);
    for (const [table, columns] of this.tables) {
      if (!Object.hasOwn(defaults, table)) continue;
      const row = this.object(['defaults', table], defaults[table]);
      this.values(['defaults', table], row, columns);
      this.defaults.set(table, row);
    }
    const found = list.map((entry, i) =>
      this.isMap(['cases', i], entry) ? this.readCase(['cases', i], entry) : undefined,
    );
    const names = found.map((c) => c?.name);
    names.forEach((name, i) => {
      const first = names.indexOf(name);
      if (name !== undefined && first < i)
        this.fault(['cases', i], `has the name of case ${first + 1}; say how they differ`);
    });
    const cases = found.filter((c) => c !== undefined);
    return { cases: this.faults.length > 0 ? [] : cases, faults: this.faults };
  }

  /** The tables that a case may speak of. */
  private get tables(): ReadonlyMap<string, Columns> {
    return new Map([...this.job.inputs, this.job.output].map((table) => [table.name, table.columns]));
  }

  private readCase(path: Path, entry: Plain): Case {
    this.known(path, entry, ['name', 'parameters', 'given', 'expect']);
    if (typeof entry.name !== 'string' || entry.name.trim() === '') {
      this.fault(path, 'needs a name that says what the job must do');
    }
    const parameters = this.object([...path, 'parameters'], entry.parameters ?? {}) as Record<string, string>;
    this.known(
      [...path, 'parameters'],
      parameters,
      this.job.parameters.map((p) => p.name),
    );
    for (const p of this.job.parameters) {
      const value = parameters[p.name] ?? p.default;
      if (p === runTime) {
        const { rule, test } = VALUE_RULES.timestamp;
        if (p.name in parameters && !test(value)) {
          this.fault([...path, 'parameters', p.name], `is ${tell(value)}; it should be ${rule}`);
        }
        parameters[p.name] = value.replace('T', ' ').replace('Z', '');
        continue;
      }
      const fault = choiceFault(p, value);
      if (fault) this.fault([...path, 'parameters', p.name], fault);
      parameters[p.name] = value;
    }
    const given = this.object([...path, 'given'], entry.given ?? {});
    this.known(
      [...path, 'given'],
      given,
      this.job.inputs.map((input) => input.name),
    );
    for (const input of this.job.inputs) {
      if (!(input.name in given)) {
        this.fault([...path, 'given'], `leaves out the input ${input.name}; write [] where it has no row`);
      }
    }
    const output = this.job.output;
    return {
      name: String(entry.name ?? `case ${Number(path.at(-1)) + 1}`),
      parameters,
      given: Object.fromEntries(
        this.job.inputs.map((input) => [
          input.name,
          input.name in given
            ? this.rows([...path, 'given', input.name], given[input.name], input.name, input.columns)
            : [],
        ]),
      ),
      expect: this.rows([...path, 'expect'], entry.expect, output.name, output.columns),
    };
  }

  private rows(path: Path, rows: unknown, table: string, columns: Columns): CaseRow[] {
    if (!Array.isArray(rows)) {
      this.fault(path, `should be a list of rows${rows == null ? '; write [] where it has none' : ''}`);
      return [];
    }
    return rows.flatMap((entry, i) => {
      if (!this.isMap([...path, i], entry)) return [];
      this.values([...path, i], entry, columns);
      const row: Plain = { ...this.defaults.get(table), ...entry };
      for (const [name, column] of Object.entries(columns)) {
        if (row[name] !== undefined && row[name] !== null) continue;
        if (!column.nullable) this.fault([...path, i], `has no ${name}, which ${table} requires`);
        row[name] = null;
      }
      return [row as CaseRow];
    });
  }

  private values(path: Path, row: Plain, columns: Columns) {
    this.known(path, row, Object.keys(columns));
    for (const [name, value] of Object.entries(row)) {
      const column = Object.hasOwn(columns, name) ? columns[name] : undefined;
      if (!column || value === null) continue;
      const { rule, test } = VALUE_RULES[refinedType(column.type) as keyof typeof VALUE_RULES];
      if (!test(value)) this.fault([...path, name], `is ${tell(value)}; it should be ${rule}`);
    }
  }

  private isMap(path: Path, value: unknown): value is Plain {
    const is = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (!is) this.fault(path, 'should be a map of names to values');
    return is;
  }

  private object(path: Path, value: unknown): Plain {
    return this.isMap(path, value) ? { ...value } : {};
  }

  private known(path: Path, map: Plain, names: readonly string[]) {
    for (const name of Object.keys(map)) {
      if (!names.includes(name)) {
        this.fault([...path, name], `is not known here; it can be ${names.join(', ') || 'nothing'}`);
      }
    }
  }

  private fault(path: Path, message: string) {
    const offset = this.offsetOf(path);
    const { line } = this.lines.linePos(offset);
    this.faults.push({ path: `${this.file}:${line}`, message: `${placeOf(path)} ${message}` });
  }

  /** Where a value, or what of its path there is, begins. */
  private offsetOf(path: Path): number {
    for (let length = path.length; length > 0; length--) {
      const parent = this.document.getIn(path.slice(0, length - 1), true) as Node | undefined;
      const key = path[length - 1];
      if (isMap(parent)) {
        const pair = parent.items.find(
          (item) => String((item.key as { value?: unknown })?.value ?? item.key) === key,
        );
        const range = (pair?.key as Node | undefined)?.range;
        if (range) return range[0];
      }
      const node = this.document.getIn(path.slice(0, length), true) as Node | undefined;
      if (node?.range) return node.range[0];
    }
    return 0;
  }
}
