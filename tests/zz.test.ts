import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { lake as stedi } from '../pipeline';
import { ENTITIES } from '../samples';
import { answer, engineOf, temporaryDir, writeLanding } from './support/lake';
import { linesOf, world } from './support/people';
import { differences, NONE } from './support/rows';
import { findValues } from './support/bytes';

const dir = temporaryDir('forget-property');
const NAMES = [...stedi.tables.keys()];
test('property', async () => {
  let n = 0;
  await fc.assert(
    fc.asyncProperty(world, fc.nat({ max: 3 }), async (made, who) => {
      const at = join(dir, String(n++));
      const email = made.people[who]?.email as string;
      const [root, other] = [join(at, 'lake'), join(at, 'other')];
      const time = new Date();
      for (const [data, without] of [['with', undefined], ['without', email]] as const)
        for (const entity of ENTITIES) await writeLanding(join(at, data), entity, linesOf(made, without)[entity]);
      const first = await engineOf(root).run(stedi, { data: join(at, 'with'), time });
      expect(first.failures).toEqual([]);
      mkdirSync(other, { recursive: true });
      cpSync(join(root, 'pseudonym.key'), join(other, 'pseudonym.key'));
      await engineOf(root).forget(stedi, { subject: email, dryRun: false });
      expect((await engineOf(other).run(stedi, { data: join(at, 'without'), time })).failures).toEqual([]);
      for (const name of NAMES) {
        const of = (lake: string) => answer(engineOf(lake), `SELECT * FROM ${name}`);
        expect([name, differences(await of(root), await of(other))]).toEqual([name, NONE]);
      }
      expect(await findValues(root, [email])).toEqual([]);
    }),
    { numRuns: 15 },
  );
}, 120_000);
