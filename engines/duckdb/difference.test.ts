import { link, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import {
  auditOf,
  type Check,
  type Expectation,
  expectation,
  int,
  lakehouse,
  references,
  SAMPLES,
  unique,
} from '../../model';
import { temporaryDir } from '../../tests/support/lake';
import { soak } from '../../tests/support/soak';
import { rowsOf, withDatabase } from '../database';
import { samplesOf } from '../findings';
import { quoteString } from '../sql';
import { type Counted, saidNow, sidesOf, type Versions } from './difference';
import { noteFiles } from './increment';
import { listKeys } from './keys';
import { textsOf } from './query';
import { openTable } from './tables';

const root = temporaryDir('difference');
const COLUMNS = { id: int('I.', { nullable: true }), n: int('N.', { nullable: true }) };
const words = lakehouse(['made']);
const made = (name: string, expectations: readonly Expectation<'id' | 'n'>[] = []) =>
  words.table({ name, zone: 'made', description: 'T.', columns: COLUMNS, expectations });
const other = made('o');
const naming = (name: string) => ({ name, severity: 'warn', description: 'E.' }) as const;
const table = made('t', [
  references(other, { id: 'id' }, naming('one')),
  references(other, { n: 'id', id: 'n' }, naming('pair')),
  unique(['id'], naming('listed')),
  unique(['n', 'id'], naming('both')),
  unique(['n'], naming('unlisted')),
  expectation({
    ...naming('row'),
    columns: ['n'],
    per: 'row',
    sql: (from) => `SELECT t.* FROM ${from} t WHERE t.n > t.id`,
  }),
]);
const SOUGHT = ['id'];

const value = fc.option(fc.nat(3), { nil: null, freq: 6 });
const file = fc.array(fc.record({ id: value, n: value }), { minLength: 1, maxLength: 4 });
/** Files of a table that stay, go and come. */
const moved = fc.record({
  stay: fc.array(file, { minLength: 1, maxLength: 2 }),
  go: fc.array(file, { maxLength: 2 }),
  come: fc.array(file, { maxLength: 2 }),
});

test('what a check says by what came and went is what it says of all rows', async () => {
  let [dirs, healed] = [0, 0];
  await withDatabase((db) =>
    fc.assert(
      fc.asyncProperty(moved, moved, async (...files) => {
        const versions: Versions[] = [];
        for (const [i, { stay, go, come }] of files.entries()) {
          const of = i === 0 ? table : other;
          const [was, now] = [0, 1].map((n) => join(root, `${dirs}-${of.name}-${n}`)) as [string, string];
          for (const dir of [was, now]) await mkdir(dir);
          const write = async (dir: string, name: string, rows: (typeof stay)[number]) => {
            const values = rows.map(({ id, n }) => `(${id}::INTEGER, ${n}::INTEGER)`).join(', ');
            const path = join(dir, `${name}.parquet`);
            await db.run(`COPY (FROM (VALUES ${values}) v(id, n)) TO ${quoteString(path)} (FORMAT parquet)`);
            await listKeys(db, of, SOUGHT, [path]);
            return path;
          };
          for (const [n, rows] of stay.entries()) {
            await write(was, `stay-${n}`, rows);
            for (const end of ['', '.id.keys'])
              await link(join(was, `stay-${n}.parquet${end}`), join(now, `stay-${n}.parquet${end}`));
          }
          const gone = await Promise.all(go.map((rows, n) => write(was, `go-${n}`, rows)));
          const fresh = await Promise.all(come.map((rows, n) => write(now, `come-${n}`, rows)));
          versions.push({ table: of, change: await noteFiles(db, of, gone, fresh), was, now });
        }
        dirs++;
        const [own, counterpart] = versions as [Versions, Versions];
        const checks = auditOf(table, [table, other]).filter(({ name }) => /^[a-z]+$/.test(name));
        const all = async (side: 'was' | 'now') => {
          for (const one of versions) await openTable(db, one.table, one[side]);
          const counts = checks.map(({ count }) => count).join(' UNION ALL ');
          const found = await rowsOf<Counted & { name: string }>(db, counts);
          return (name: string) => found.find((one) => one.name === name) as Counted;
        };
        const [before, after] = [await all('was'), await all('now')];
        const asked = [];
        for (const check of checks) {
          const { failed, affected } = before(check.name);
          const one = {
            check,
            expectation: table.expectations.find(({ name }) => name === check.name) as Expectation,
            before: { failed, affected: failed > 0 ? affected : null },
          };
          const sides = await sidesOf(db, one, own, () => counterpart, SOUGHT);
          asked.push({ ...one, ...sides });
        }
        const said = await saidNow(db, asked);
        for (const check of checks) {
          const { failed, affected, samples } = said.get(check.name) ?? {};
          const expected = after(check.name);
          healed += Number(expected.failed < before(check.name).failed);
          expect({ of: check.name, failed, affected: affected ?? 0 }).toEqual({
            ...{ of: check.name, failed: expected.failed },
            affected: expected.affected ?? 0,
          });
          const shown = await bad(check);
          if (shown.length < SAMPLES) expect(shown).toEqual(expect.arrayContaining([...(samples ?? [])]));
        }
        async function bad({ shown, samples }: Check) {
          return samplesOf(shown, await textsOf(db, samples));
        }
      }),
      { numRuns: soak(30), endOnFailure: true },
    ),
  );
  expect(healed).toBeGreaterThan(10);
});
