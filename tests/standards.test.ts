import { appendFileSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { installPython } from '../engines/python';
import { junitXml } from '../standards/junit';
import { lake, lakehouseIn, ROOT, temporaryDir } from './support/lake';
import { python } from './support/python';

const dir = temporaryDir('standards');
const SHOP = join(ROOT, 'examples', 'shop');

function hasValidators(): boolean {
  const missing = installPython('requirements-standards.txt', (text) => process.stderr.write(`${text}\n`));
  if (missing === undefined) return true;
  if (process.env.CI === 'true') throw new Error(missing);
  process.stderr.write(`tests by the validators of others are skipped: ${missing}\n`);
  return false;
}
const withValidators = hasValidators() ? describe : describe.skip;

/** What `datacontract lint` makes of files: of each whether it passed. Asked at once, as Python loads it for seconds. */
const lint = (files: readonly string[]) =>
  JSON.parse(
    python(
      `
import json, sys
from datacontract.data_contract import DataContract
print(json.dumps([DataContract(data_contract_file=f).lint().result for f in json.load(sys.stdin)]))`,
      { input: JSON.stringify(files) },
    ),
  ) as string[];

const readJunit = (file: string) =>
  JSON.parse(
    python(`
import json, sys
from junitparser import Failure, JUnitXml
suites = JUnitXml.fromfile(${JSON.stringify(file)})
print(json.dumps([{ 'suite': s.name, 'tests': s.tests, 'failures': s.failures, 'cases': [
  { 'name': c.name, 'failed': any(isinstance(r, Failure) for r in c.result), 'text': ''.join(r.text or '' for r in c.result), 'note': c.system_out } for c in s] } for s in suites]))`),
  ) as {
    suite: string;
    tests: number;
    failures: number;
    cases: { name: string; failed: boolean; text: string; note: string | null }[];
  }[];

/** Builds the classes of OpenLineage's own client of events, which refuse what they do not know, and gives their faults. */
const faultsOf = (events: readonly unknown[]) =>
  JSON.parse(
    python(
      `
import importlib, json, pkgutil, sys, attr
import openlineage.client.generated as generated
from openlineage.client.generated import base
facets = {}
for _, name, _ in pkgutil.iter_modules(generated.__path__):
    for key, value in vars(importlib.import_module(f'openlineage.client.generated.{name}')).items():
        if isinstance(value, type) and issubclass(value, base.BaseFacet): facets[key] = value

def modules(cls): return vars(sys.modules[cls.__module__])

def build(cls, value):
    if not attr.has(cls): return value
    known = { f.alias: f for f in attr.fields(cls) }
    more = set(value) - set(known) - { '_producer', '_schemaURL' }
    assert not more, f'{cls.__name__} has no {sorted(more)}'
    given = { k: inside(str(known[k].type), cls, v) for k, v in value.items() if k in known }
    return cls(**given)

def inside(of, cls, value):
    named = [v for k, v in modules(cls).items() if isinstance(v, type) and attr.has(v) and k in of.replace('[', ' ').replace(']', ' ').replace('|', ' ').replace(',', ' ').split()]
    if not named: return value
    if isinstance(value, list): return [build(named[0], v) for v in value]
    if isinstance(value, dict) and of.startswith('dict'): return { k: build(named[0], v) for k, v in value.items() }
    return build(named[0], value)

def facet(value):
    name = value['_schemaURL'].split('/')[-1]
    assert value['_schemaURL'] == facets[name]._get_schema(), f'{value["_schemaURL"]} is not {facets[name]._get_schema()}'
    return build(facets[name], { k: v for k, v in value.items() if k not in ('_producer', '_schemaURL') })

all_of = lambda values: { k: facet(v) for k, v in values.items() }
faults = []
for e in json.load(sys.stdin):
    try:
        base.RunEvent(eventTime=e['eventTime'], producer=e['producer'], eventType=base.EventType(e['eventType']),
            run=base.Run(runId=e['run']['runId'], facets=all_of(e['run']['facets'])),
            job=base.Job(namespace=e['job']['namespace'], name=e['job']['name'], facets=all_of(e['job']['facets'])),
            inputs=[base.InputDataset(namespace=d['namespace'], name=d['name'], facets=all_of(d['facets']), inputFacets=all_of(d['inputFacets'])) for d in e['inputs']],
            outputs=[base.OutputDataset(namespace=d['namespace'], name=d['name'], facets=all_of(d['facets']), outputFacets=all_of(d['outputFacets'])) for d in e['outputs']])
    except Exception as fault:
        faults.append(f'{type(fault).__name__}: {fault}')
print(json.dumps(faults))`,
      { input: JSON.stringify(events) },
    ),
  ) as string[];

interface Event {
  readonly eventType: string;
  readonly run: { readonly runId: string; readonly facets: Readonly<Record<string, { message?: string }>> };
  readonly job: { readonly name: string };
  readonly outputs: readonly {
    readonly outputFacets: { readonly outputStatistics?: { readonly rowCount: number } };
    readonly facets: { readonly columnLineage: { readonly fields: Readonly<Record<string, unknown>> } };
  }[];
}

/** A receiver of events that answers with a status. */
async function receiver(status: number): Promise<{ server: Server; url: string; events: Event[] }> {
  const events: Event[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.url === '/api/v1/lineage') events.push(JSON.parse(Buffer.concat(chunks).toString()));
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, events };
}

describe('events of a run', () => {
  const JOBS = readdirSync(join(ROOT, 'jobs'))
    .filter((name) => name.endsWith('.sql'))
    .map((name) => name.slice(0, -4));
  const kinds = (events: readonly Event[], kind: string) =>
    events
      .filter(({ eventType }) => eventType === kind)
      .map(({ job }) => job.name)
      .toSorted();
  const eventsIn = (file: string): Event[] =>
    readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  let good: Event[];
  let bad: Event[];

  beforeAll(async () => {
    const { server, url, events } = await receiver(201);
    const root = join(dir, 'lake');
    const file = join(dir, 'events.jsonl');
    expect(
      await lake(['run', '--lake', root, '--events', file], { OPENLINEAGE_URL: `${url}/` }),
    ).toMatchObject({ status: 0 });
    good = [...events];
    expect(eventsIn(file)).toEqual(good);
    // One job fails at a value, and those after it are never begun.
    const work = lakehouseIn(join(dir, 'broken'));
    rmSync(join(work, 'jobs'));
    cpSync(join(ROOT, 'jobs'), join(work, 'jobs'), {
      recursive: true,
      filter: (path) => !path.includes('runner'),
    });
    appendFileSync(join(work, 'jobs', 'customers_curated.sql'), '  AND CAST(c.email AS BIGINT) > 0\n');
    const failing = join(dir, 'failing.jsonl');
    const data = ['--data', join(root, 'sample'), '--events', failing, '--lake', join(dir, 'failing')];
    expect(await lake(['run', ...data], {}, work)).toMatchObject({ status: 1 });
    bad = eventsIn(failing);
    server.close();
  });

  test('each job has a START and a COMPLETE of one run, none twice, all of one parent', () => {
    expect(good).toHaveLength(2 * JOBS.length);
    expect(kinds(good, 'START')).toEqual(JOBS.toSorted());
    expect(kinds(good, 'COMPLETE')).toEqual(JOBS.toSorted());
    for (const name of JOBS)
      expect(new Set(good.filter(({ job }) => job.name === name).map(({ run }) => run.runId)).size).toBe(1);
    expect(new Set(good.map(({ run }) => JSON.stringify(run.facets.parent))).size).toBe(1);
  });

  test('a job that fails has a FAIL with the reason, which quotes nobody; one that never began has none', () => {
    expect(kinds(bad, 'START')).toEqual(['accelerometer_trusted', 'customer_trusted', 'customers_curated']);
    expect(kinds(bad, 'COMPLETE')).toEqual(['accelerometer_trusted', 'customer_trusted']);
    expect(kinds(bad, 'FAIL')).toEqual(['customers_curated']);
    const why = bad.find(({ eventType }) => eventType === 'FAIL')?.run.facets.errorMessage?.message;
    expect(why).toMatch(/^customers_curated: .*customers_curated\.sql failed/);
    expect(why).not.toContain('@');
  });

  test('they say how many rows there are, and where columns come from', () => {
    const end = good.find(
      ({ eventType, job }) => eventType === 'COMPLETE' && job.name === 'machine_learning_curated',
    );
    expect(end?.outputs[0]?.outputFacets.outputStatistics?.rowCount).toBeGreaterThan(0);
    expect(end?.outputs[0]?.facets.columnLineage.fields.subject).toEqual({
      inputFields: [
        {
          namespace: 'stedi',
          name: 'accelerometer_trusted',
          field: 'user',
          transformations: [{ type: 'DIRECT', subtype: 'TRANSFORMATION', masking: true }],
        },
      ],
    });
  });

  withValidators('held against the classes of the official client', () => {
    test('they are what the standard says', () => {
      expect(faultsOf([...good, ...bad])).toEqual([]);
    });

    test('which find a member that is not of the standard, one that is missing and another schema', () => {
      const [event] = good as [Event];
      const planted = JSON.stringify(event);
      const faults = faultsOf([
        JSON.parse(planted.replace('"subtype"', '"subType"')),
        JSON.parse(planted.replace('"transformations"', '"transformation"')),
        JSON.parse(planted.replace('/1-2-0/SchemaDatasetFacet', '/9-9-9/SchemaDatasetFacet')),
        { ...event, eventType: 'BEGIN' },
      ]);
      expect(faults).toHaveLength(4);
    });
  });

  test.each([
    ['refuses them', 500, /answered 500/],
    ['is not there', undefined, /cannot be reached \(ECONNREFUSED\)/],
  ])('a receiver that %s fails no run, and is told of once', async (_, status, told) => {
    const { server, url } = await receiver(status ?? 200);
    if (status === undefined) await new Promise((resolve) => server.close(resolve));
    const ran = await lake(['run', '--lake', join(dir, 'lake'), '--only', 'customers_curated', '--full'], {
      OPENLINEAGE_URL: url,
    });
    server.close();
    expect(ran.status).toBe(0);
    expect(ran.stderr.match(/the receiver of events/g)).toHaveLength(1);
    expect(ran.stderr).toMatch(told);
  });
});

withValidators('contracts of the Open Data Contract Standard', () => {
  const exported = async (name: string, project: string) => {
    const out = join(dir, `contracts-${name}`);
    const made = await lake(['export', 'odcs', '--out', out, '--project', project]);
    expect(made).toMatchObject({ status: 0, stderr: '' });
    return readdirSync(out).map((file) => join(out, file));
  };

  test.each([
    ['stedi', ROOT],
    ['shop', SHOP],
  ])('those of %s are valid', async (name, project) => {
    const files = await exported(name, project);
    expect(lint(files)).toEqual(files.map(() => 'passed'));
  });

  test('one with a fault is not', async () => {
    const [first = ''] = await exported('faulty', SHOP);
    const text = readFileSync(first, 'utf8');
    const faulty = [
      ['logicalType: string', 'logicalType: text'],
      ['required:', 'reqired:'],
      ['mustBe: 0', 'mustBe: 0\n        mustNotBe: 1'],
    ].map(([right = '', wrong = ''], i) => {
      const file = join(dir, `fault-${i}.odcs.yaml`);
      writeFileSync(file, text.replace(right, wrong));
      return file;
    });
    expect(lint([first, ...faulty]).map((result) => result === 'passed')).toEqual([
      true,
      ...faulty.map(() => false),
    ]);
  });
});

test('a contract that was written is read again as the tables that it is of', async () => {
  const out = join(dir, 'again');
  await lake(['export', 'odcs', '--out', out, '--project', SHOP]);
  const { stdout } = await lake(['import', 'odcs', join(out, 'customer_landing.odcs.yaml')]);
  expect(stdout).toContain("export const customerLanding = lakehouse.source({\n  name: 'customer_landing',");
  expect(stdout).toContain("city: text('Where parcels go.', { pii: 'quasi', from: 'address.city' })");
  expect(stdout).toContain("born: isoDate('Day of birth.', { nullable: true, pii: 'quasi' })");
  const orders = await lake(['import', 'odcs', join(out, 'daily_revenue.odcs.yaml')]);
  expect(orders.stdout).toContain("revenue: decimal(12, 2, 'What was paid for them, in euros.')");
  expect(orders.stdout).toContain("keys: [ [ 'day' ] ]");
  const wrong = join(dir, 'wrong.yaml');
  writeFileSync(wrong, 'kind: Something\n');
  expect(await lake(['import', 'odcs', wrong])).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('is no data contract'),
  });
});

test('of a contract of others nothing becomes code but names, types and literals', async () => {
  const file = join(dir, 'evil.yaml');
  writeFileSync(
    file,
    `kind: DataContract
schema:
  - name: "x(){}; evil"
    properties:
      - { name: "a: 1 }; evil()", logicalType: string, description: "'); evil(); ('", customProperties: [{ property: type, value: "evil" }] }
`,
  );
  const { stdout } = await lake(['import', 'odcs', file]);
  expect(stdout).toContain(`'a: 1 }; evil()': text("'); evil(); ('", { nullable: true })`);
  expect(stdout).toContain('export const xEvil = ');
});

describe('JUnit', () => {
  withValidators('read by junitparser', () => {
    test('cases of jobs', async () => {
      const work = lakehouseIn(join(dir, 'cases'));
      const file = join(dir, 'cases.xml');
      expect(await lake(['test', '--junit', file], {}, work)).toMatchObject({ status: 0 });
      const all = readJunit(file);
      expect(
        all.every(({ failures, tests, cases }) => failures === 0 && tests === cases.length && tests > 0),
      ).toBe(true);
    });

    test('expectations of a run: what warns is a note', async () => {
      const file = join(dir, 'run.xml');
      const summary = join(dir, 'summary.md');
      await lake(['run', '--lake', join(dir, 'junit-lake'), '--junit', file], {
        GITHUB_STEP_SUMMARY: summary,
      });
      const customers = readJunit(file).find(({ suite }) => suite === 'customer_landing');
      const email = customers?.cases.find(({ name }) => name === 'unique_email');
      expect(email).toMatchObject({
        failed: false,
        note: expect.stringMatching(/repeated.*Expected: A customer registered once\./),
      });
      expect(readFileSync(summary, 'utf8')).toMatch(/^### Run \d{8}T.*published.*\n\n\| table \| read/);
    });

    test('a failure, and texts that XML has no form for', () => {
      const file = join(dir, 'failure.xml');
      const text = 'a.yaml: "x" <y> & \u0000\u001b\n  missing  {"a":1}';
      writeFileSync(
        file,
        junitXml([{ name: 'job', cases: [{ name: 'one', failure: text }, { name: 'two' }] }]),
      );
      expect(readJunit(file)).toEqual([
        {
          suite: 'job',
          tests: 2,
          failures: 1,
          cases: [
            { name: 'one', failed: true, text: text.replaceAll(/[^\P{Cc}\n]/gu, '\ufffd'), note: null },
            { name: 'two', failed: false, text: '', note: null },
          ],
        },
      ]);
    });
  });
});
