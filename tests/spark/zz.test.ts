import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { DuckDbEngine } from '../../engines/duckdb/engine';
import { Store } from '../../engines/duckdb/store';
import { lake as stedi } from '../../pipeline';
import { ENTITIES } from '../../samples';
import { answer, JOBS, temporaryDir, writeLanding } from '../support/lake';
import { linesOf, world } from '../support/people';
import { differences, NONE } from '../support/rows';
import { Spark } from '../support/spark';

jest.setTimeout(900_000);
const dir = temporaryDir('spark-zz');
const session = new Spark(dir);
afterAll(() => session.stop());
test('property', async () => {
  const [made] = fc.sample(world, { numRuns: 1, seed: 42 }) as [never];
  const who = (made as { people: { email: string }[] }).people[0]?.email as string;
  const [root, other] = [join(dir, 'lake'), join(dir, 'other')];
  const time = new Date();
  for (const [data, without] of [
    ['with', undefined],
    ['without', who],
  ] as const)
    for (const entity of ENTITIES)
      await writeLanding(join(dir, data), entity, linesOf(made, without)[entity]);
  const engine = session.engineOf(root);
  let t = performance.now();
  const lap = (what: string) => {
    process.stderr.write(`${what} ${((performance.now() - t) / 1000).toFixed(1)}\n`);
    t = performance.now();
  };
  const first = await engine.run(stedi, { data: join(dir, 'with'), time });
  lap('run');
  expect(first.failures).toEqual([]);
  mkdirSync(other, { recursive: true });
  cpSync(join(root, 'pseudonym.key'), join(other, 'pseudonym.key'));
  const receipt = await new DuckDbEngine({ lake: root, jobs: JOBS }).forget(stedi, {
    subject: who,
    dryRun: false,
    other: engine,
  });
  lap('forget');
  console.log(JSON.stringify(receipt, null, 1));
  const two = session.engineOf(other);
  expect((await two.run(stedi, { data: join(dir, 'without'), time })).failures).toEqual([]);
  for (const name of stedi.tables.keys()) {
    expect([
      name,
      differences(await answer(engine, `SELECT * FROM ${name}`), await answer(two, `SELECT * FROM ${name}`)),
    ]).toEqual([name, NONE]);
  }
  lap('rest');
});
