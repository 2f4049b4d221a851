import { isUtf8 } from 'node:buffer';
import { accelerometerLanding, customerLanding, stepTrainerLanding } from '../../pipeline/landing';
import { readingTests, sorted } from '../../tests/support/reading';
import { SampleError } from '../error';
import { ENTITIES, FAULT_KINDS, FAULTS, type FaultReason, kindsOf, spoil } from '.';

const TABLES = {
  customer: customerLanding,
  accelerometer: accelerometerLanding,
  step_trainer: stepTrainerLanding,
};

const GOOD = {
  customer: [
    '{"customerName": "Ána O\'Neill", "email": "ana@example.com", "phone": "2025550100", "birthDay": "987-02-03", ' +
      '"serialNumber": "s-1", "registrationDate": 1650000000000, "lastUpdateDate": 1650000000000}',
  ],
  accelerometer: [
    '{"user":"ana@example.com","timestamp":1683000000000,"x":0.10,"y":-1.00,"z":0.00}',
    ' {"Z":0,"y":-1.5,"timeStamp":1683000000000,"X":1,"USER":"ana@example.com"} , ',
  ],
  step_trainer: ['{"sensorReadingTime":1683000000000,"serialNumber":"s-1","distanceFromObject":20},'],
};

const STYLES = ENTITIES.flatMap((entity) => GOOD[entity].map((line) => ({ entity, line })));

const { read } = readingTests();

test.each(STYLES)('each kind of fault of $entity is refused for its reason, as in $line', async (style) => {
  const { entity, line } = style;
  const kinds = kindsOf(entity);
  const file = (text: string | Buffer) =>
    Buffer.concat([`${line}\n`, text, `\n${line}\n`].map((t) => Buffer.from(t)));
  const files = kinds.map((kind) => [`${kind}.json`, file(spoil(line, kind, entity))]);
  const { rows, refused } = await read(TABLES[entity], Object.fromEntries(files));
  expect(rows).toHaveLength(2 * kinds.length);
  const found = refused.map(({ file: name, line: number, record, reason }) => [name, number, record, reason]);
  expect(sorted(found)).toEqual(sorted(kinds.map((kind) => [`${kind}.json`, 2, null, FAULTS[kind].reason])));
});

test('only lines that are no UTF-8 come as bytes', () => {
  for (const { entity, line } of STYLES) {
    for (const kind of kindsOf(entity)) {
      const spoilt = spoil(line, kind, entity);
      expect(isUtf8(Buffer.from(spoilt))).toBe(typeof spoilt === 'string');
    }
  }
});

test('the faults have every reason that a line of usual length can be refused for', () => {
  const given: readonly FaultReason[] = FAULT_KINDS.map((kind) => FAULTS[kind].reason);
  expect([...new Set(given)].toSorted()).toEqual([
    'DUPLICATE_KEY',
    'INVALID_ENCODING',
    'MISSING_REQUIRED',
    'NOT_AN_OBJECT',
    'NOT_JSON',
    'OUT_OF_RANGE',
    'TRAILING_TEXT',
    'TRUNCATED',
    'WRONG_TYPE',
  ]);
});

test('a kind that does not apply and a line that is no good one are refused', () => {
  expect(() => spoil(GOOD.customer[0] as string, 'ninety_nine_g', 'customer')).toThrow(SampleError);
  expect(() => spoil('{"x":', 'null', 'accelerometer')).toThrow(SampleError);
  expect(() => spoil('{"x":1}', 'empty_text', 'accelerometer')).not.toThrow();
  expect(() => spoil('{"x":1}', 'seconds', 'accelerometer')).toThrow(/has no timestamp/);
});
