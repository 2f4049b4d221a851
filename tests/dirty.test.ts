import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { DuckDbEngine } from '../engines/duckdb/engine';
import type { Pipeline } from '../model';
import { lake } from '../pipeline';
import { ENTITIES, type Entity, sampleLines, writeSample } from '../samples/stedi';
import { writeOtherSources } from './support/other-sources';

const jobs = join(__dirname, '..', 'jobs');

/** STEDI's pipeline without a limit on what is refused: with every share of faults the counts can be looked at. */
const tolerant: Pipeline = {
  ...lake,
  sources: lake.sources.map((source) => ({ ...source, maxQuarantinedShare: 1 })),
};

async function rows(engine: DuckDbEngine, sql: string): Promise<(string | null)[][]> {
  const all: (string | null)[][] = [];
  for await (const chunk of (await engine.query(sql)).rows) all.push(...chunk.map((row) => [...row]));
  return all;
}

const sourceOf = Object.fromEntries(lake.sources.map(({ entity, name }) => [entity, name])) as Record<
  Entity,
  string
>;

const sorted = (values: readonly unknown[]) => values.map((value) => JSON.stringify(value)).sort();

/** The good lines of a sample in one plain file a source. */
function writeGoodLines(out: string, options: Parameters<typeof sampleLines>[0]) {
  const texts: Record<string, string[]> = { customer: [], accelerometer: [], step_trainer: [] };
  for (const line of sampleLines(options)) {
    if (line.fault === undefined) texts[line.entity]?.push(String(line.text));
  }
  for (const [entity, lines] of Object.entries(texts)) {
    const dir = join(out, entity, 'landing');
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'good.json'), `${lines.join('\n')}\n`);
  }
}

const linesOf = (path: string) => {
  const bytes = readFileSync(path);
  const text = (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString('latin1');
  return text.replace(/^\u00ef\u00bb\u00bf/, '').split(/\r\n|\n|\r/);
};

test('whatever share of the lines is faulty: no good line is lost, and every bad one is in quarantine', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(2 ** 31),
      // Of one line that is no record, its file is none of JSON.
      fc.integer({ min: 2, max: 12 }),
      fc.oneof(
        fc.constant(0),
        // Above that, broken lines follow each other, and may be one record.
        fc.integer({ min: 1, max: 50 }).map((n) => n / 100),
      ),
      async (seed, customers, dirty) => {
        const root = mkdtempSync(join(tmpdir(), 'dirty-'));
        try {
          const options = { seed, customers, dirty };
          const report = await writeSample(join(root, 'dirty'), options);
          for (const data of ['dirty', 'good']) await writeOtherSources(join(root, data), lake.sources);
          const engine = new DuckDbEngine({ lake: join(root, 'lake'), jobs });
          const { summary, failures } = await engine.run(tolerant, { data: join(root, 'dirty') });
          expect(failures).toEqual([]);

          const expected = [...sampleLines(options)].filter((line) => line.fault !== undefined);
          for (const entity of ENTITIES) {
            const name = sourceOf[entity];
            const own = summary.tables.find((table) => table.table === name);
            expect(own).toMatchObject({ read: report.lines[entity], reasons: report.faults[entity] });
            expect(own?.written).toBe((own?.read ?? 0) - (own?.quarantined ?? 0));
            const refused = await rows(engine, `SELECT file, reason, raw, line FROM ${name}_quarantine`);
            const bad = expected.filter((line) => line.entity === entity);
            const raw = (text: unknown) =>
              String(text)
                .replaceAll(/^\ufeff|\r$/g, '')
                .slice(0, 1 << 16);
            expect(sorted(refused.map(([file, reason, text]) => [file, reason, raw(text)]))).toEqual(
              sorted(bad.map((line) => [line.file, line.fault, raw(line.text)])),
            );
            for (const [file, , text, line] of refused) {
              const found = linesOf(join(root, 'dirty', entity, 'landing', file as string))[Number(line) - 1];
              const utf8 = Buffer.from(found ?? '', 'latin1').toString();
              expect(utf8).toEqual(expect.stringContaining(raw(text).slice(0, 1000)));
            }
          }

          // The same data without its bad lines gives the same tables; the key makes pseudonyms comparable.
          writeGoodLines(join(root, 'good'), options);
          const clean = new DuckDbEngine({ lake: join(root, 'clean'), jobs });
          mkdirSync(join(root, 'clean'));
          copyFileSync(join(root, 'lake', 'pseudonym.key'), join(root, 'clean', 'pseudonym.key'));
          await clean.run(tolerant, { data: join(root, 'good') });
          for (const table of lake.tables.keys()) {
            expect(sorted(await rows(engine, `SELECT * FROM ${table}`))).toEqual(
              sorted(await rows(clean, `SELECT * FROM ${table}`)),
            );
          }
        } finally {
          rmSync(root, { recursive: true });
        }
      },
    ),
    { numRuns: 8 },
  );
});
