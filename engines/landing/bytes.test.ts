import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { temporaryDir } from '../../tests/support/lake';
import { lookAt, marksIn, type Piece, piecesOf } from './bytes';

const dir = temporaryDir('bytes');
const lookAtBytes = async (bytes: Buffer, name = 'a.json') => {
  await writeFile(join(dir, name), bytes);
  return lookAt(join(dir, name), 16);
};

const someLines = fc
  .array(
    fc.oneof(
      fc.constantFrom('{"a":1}', '', '  }', '{', '"x"'),
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.uint8Array({ maxLength: 60 }),
    ),
  )
  .map((lines) => Buffer.concat(lines.flatMap((line) => [Buffer.from(line as string), Buffer.from('\n')])));

test('a look says how much text there is and how it begins, packed or not', async () => {
  const text = Buffer.from('{"a":1}\n{"a":22222222222222}');
  for (const [name, bytes] of [
    ['a.json', text],
    ['a.json.gz', gzipSync(text)],
  ] as const) {
    const look = await lookAtBytes(bytes, name);
    expect(look).toMatchObject({
      bytes: text.length,
      head: '{"a":1}\n{"a":222',
      whole: false,
      damage: null,
    });
    expect(look.magic).toBe('7B2261223A317D0A');
  }
  expect(await lookAtBytes(Buffer.alloc(0))).toMatchObject({
    bytes: 0,

    head: '',
    whole: true,
  });
});

test('marks are counted at every offset, and other texts are found where two chunks meet', async () => {
  const counted = fc.tuple(fc.uint8Array({ maxLength: 100 }), fc.nat(20), fc.boolean());
  await fc.assert(
    fc.asyncProperty(counted, async ([bytes, quotes, isPacked]) => {
      const all = Buffer.concat([Buffer.from('"'.repeat(quotes)), bytes]);
      const look = await lookAtBytes(isPacked ? gzipSync(all) : all, isPacked ? 'b.json.gz' : 'b.json');
      expect(await marksIn([look, look], '"', ['\\true\\'])).toBe(
        2 * all.filter((byte) => byte === 34).length,
      );
    }),
  );
  for (const cut of [1, 2, 3]) {
    const text = Buffer.from(`${'"'.repeat((1 << 20) - cut)}true"`);
    expect(await marksIn([await lookAtBytes(text)], '"', ['\\', 'true'])).toBeUndefined();
    expect(await marksIn([await lookAtBytes(text)], '"', ['\\', 'trues'])).toBe((1 << 20) - cut + 1);
  }
});

test('pieces hold every line once, with its number and whether it is UTF-8', async () => {
  await fc.assert(
    fc.asyncProperty(someLines, fc.integer({ min: 250, max: 2000 }), async (bytes, size) => {
      const pieces: Piece[] = [];
      for await (const piece of piecesOf(await lookAtBytes(bytes), { pieceBytes: size })) pieces.push(piece);
      const expected = linesOf(bytes);
      const found = pieces.flatMap(({ text, first, broken }) =>
        linesOf(text).map((line, i) => [first + i + 1, line.toString(), broken.includes(i + 1)]),
      );
      expect(found).toEqual(
        expected.map((line, i) => [
          i + 1,
          line.toString(),
          Buffer.compare(Buffer.from(line.toString()), line) !== 0,
        ]),
      );
    }),
  );
});

test('a piece ends before a line that begins with {, or else where a line ends', async () => {
  const record = '{\n"a":1\n}\n';
  const text = Buffer.from(record.repeat(600_000));
  const firsts: number[] = [];
  for await (const { text: piece, first, bytes } of piecesOf(await lookAtBytes(text), {
    pieceBytes: 1 << 20,
  })) {
    expect(piece.subarray(0, 2).toString()).toBe('{\n');
    expect(bytes).toBe(piece.length);
    firsts.push(first);
  }
  expect(firsts.length).toBeGreaterThan(3);
  expect(firsts.every((first) => first % 3 === 0)).toBe(true);
});

test('of a line that is longer than a piece only the beginning is given, and the next has its number', async () => {
  const size = 1 << 20;
  const text = Buffer.from(`a\n${'x'.repeat(4 * size)}\nb\n${'y'.repeat(3 * size)}`);
  const pieces: Piece[] = [];
  for await (const piece of piecesOf(await lookAtBytes(text), { pieceBytes: size })) pieces.push(piece);
  expect(
    pieces.map(({ text: t, first, bytes, isCut }) => [
      t.toString('utf8', 0, 2),
      t.length,
      first,
      bytes,
      isCut,
    ]),
  ).toEqual([
    ['a\n', 2, 0, 2, false],
    ['xx', size + 1, 1, 4 * size, true],
    ['b\n', 2, 2, 2, false],
    ['yy', size + 1, 3, 3 * size, true],
  ]);
});

/** Lines without their ends, but not what is after the last end if that is nothing. */
function linesOf(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf('\n', at);
    lines.push(bytes.subarray(at, end < 0 ? bytes.length : end));
    at = end < 0 ? bytes.length : end + 1;
  }
  return lines;
}

test('where marks stand in pairs, a piece ends with an even number of them', async () => {
  const text = Buffer.from('a"\nb"\nc"\nd"\ne\nf\n"g\nh\n');
  const pieces: string[] = [];
  for await (const piece of piecesOf(await lookAtBytes(text), { pieceBytes: 8, pairedMark: '"' }))
    pieces.push(piece.text.toString());
  expect(pieces.join('')).toBe(text.toString());
  // But for the last mark, which has no other.
  for (const piece of pieces.slice(0, -1)) expect((piece.split('"').length - 1) % 2).toBe(0);
});
