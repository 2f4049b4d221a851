import { int, text } from '../../model';
import { sourceOf } from './arbitraries';
import { readLine } from './read-line';

const TABLE = sourceOf({ a: text('A.', { aliases: ['Größe', 'kelvin'] }), n: int('N.', { nullable: true }) });

test.each([
  ['{"a":"b"}', '{"a":"b"}'],
  ['\t {"A":"b", "n": 1} , \f\v', '{"a":"b","n":1}'],
  ['{"GRößE":"b"}', '{"a":"b"}'],
])('%j is read as %s', (line, json) => {
  expect(readLine(line, TABLE)).toEqual({ json });
});

test('of keys only ASCII letters have two cases, as what the others have depends on the version of Unicode', () => {
  for (const key of ['GRÖßE', '\u212aelvin', 'Größe'.normalize('NFD')]) {
    expect(readLine(JSON.stringify({ [key]: 'b' }), TABLE)).toMatchObject({ reason: 'MISSING_REQUIRED' });
  }
});

describe('nesting', () => {
  const nested = (levels: number, open = '[', close = ']') => open.repeat(levels) + close.repeat(levels);
  const tooDeep = { reason: 'NOT_JSON', detail: 'nested deeper than 200 levels' };
  test.each([
    ['of 200 levels', `{"a":"b","x":${nested(199)}}`, { json: '{"a":"b"}' }],
    ['of 201 levels', `{"a":"b","x":${nested(200)}}`, tooDeep],
    ['of 201 levels, cut off', `{"a":"b","x":${'['.repeat(200)}`, tooDeep],
    ['of 201 levels in a line that is an array', nested(201), tooDeep],
    ['of 200 levels in a line that is an array', nested(200), { reason: 'NOT_AN_OBJECT' }],
    ['beyond any stack', `{"a":"b","x":${nested(100_000, '{"x":[', ']}')}}`, tooDeep],
    ['in a text', `{"a":${JSON.stringify(nested(300))}}`, { json: `{"a":"${nested(300)}"}` }],
    ['after the object', `{"a":"b"}${nested(300)}`, { reason: 'TRAILING_TEXT' }],
    ['in a line that is neither', `x${nested(300)}`, { detail: 'the line does not begin with {' }],
  ])('%s', (_, line, verdict) => {
    expect(readLine(line, TABLE)).toMatchObject(verdict);
  });
});

test('whole numbers beyond 2^53 are out of range, whatever range is declared', () => {
  const wide = sourceOf({ n: int('N.', { min: -1e18, max: 1e18 }) });
  const limits = 'between -9007199254740991 and 9007199254740991';
  expect(readLine('{"n":9007199254740991}', wide)).toEqual({ json: '{"n":9007199254740991}' });
  for (const n of ['9007199254740993', '-9007199254740993']) {
    expect(readLine(`{"n":${n}}`, wide)).toEqual({ reason: 'OUT_OF_RANGE', detail: `n should be ${limits}` });
  }
});

test('a long line takes time in proportion to its length', () => {
  const started = Date.now();
  expect(readLine(`{"a":"b"${' '.repeat(1_000_000)}}`, TABLE)).toEqual({ json: '{"a":"b"}' });
  expect(Date.now() - started).toBeLessThan(5000);
});
