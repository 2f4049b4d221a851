import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { copiesAmong } from './copies';

const dir = mkdtempSync(join(tmpdir(), 'copies-'));
afterAll(() => rmSync(dir, { recursive: true }));

test('copies are told by all of their bytes, each with the first of its kind', async () => {
  const head = 'x'.repeat(10_000);
  const contents = {
    'a.json': `${head}1`,
    'b.json': `${head}2`,
    'c.json': `y${head}`,
    'd.json': `${head}1`,
    'e/a.json': `${head}1`,
    'f.json': `${head}11`,
    'g.json': 'short',
    'h.json': 'short',
    'i.json': '',
    'j.json': '',
  };
  mkdirSync(join(dir, 'e'));
  for (const [name, content] of Object.entries(contents)) writeFileSync(join(dir, name), content);
  const copies = await copiesAmong(Object.keys(contents).map((name) => join(dir, name)));
  expect(copies.map(({ file, sameAs }) => [relative(dir, file), relative(dir, sameAs)])).toEqual([
    ['d.json', 'a.json'],
    ['e/a.json', 'a.json'],
    ['h.json', 'g.json'],
  ]);
});
