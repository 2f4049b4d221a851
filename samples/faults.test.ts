import { isUtf8 } from 'node:buffer';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Refused, readFile } from '../engines/landing/read-file';
import { type Reason, readLine } from '../engines/landing/read-line';
import { accelerometerLanding, customerLanding, stepTrainerLanding } from '../pipeline/landing';
import {
  appliesTo,
  ENTITIES,
  emittedKinds,
  FAULT_KINDS,
  FAULTS,
  type FaultReason,
  SampleError,
  spoil,
} from '.';

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

const CASES = ENTITIES.flatMap((entity) =>
  GOOD[entity].flatMap((line) =>
    FAULT_KINDS.filter((kind) => appliesTo(kind, entity)).map((kind) => ({ entity, kind, line })),
  ),
);

test.each(CASES)('$kind of $entity is refused for its reason', async ({ entity, kind, line }) => {
  expect(readLine(line, TABLES[entity])).toHaveProperty('json');
  const spoilt = spoil(line, kind, entity);
  const dir = await mkdtemp(join(tmpdir(), 'spoil-'));
  try {
    const path = join(dir, 'one.json');
    await writeFile(path, spoilt);
    const refused: Refused[] = [];
    for await (const portion of readFile(path, TABLES[entity])) {
      expect(portion.accepted).toEqual([]);
      refused.push(...portion.refused);
    }
    expect(refused.map((r) => r.reason)).toEqual([FAULTS[kind].reason]);
  } finally {
    await rm(dir, { recursive: true });
  }
});

test('only lines that are no UTF-8 come as bytes', () => {
  for (const { entity, kind, line } of CASES) {
    const spoilt = spoil(line, kind, entity);
    expect(isUtf8(Buffer.from(spoilt))).toBe(typeof spoilt === 'string');
  }
});

test('every reason that a line can be refused for has a kind', () => {
  // EMPTY_FILE and UNREADABLE_FILE are a whole file's.
  const ofLines: Record<Exclude<Reason, 'EMPTY_FILE' | 'UNREADABLE_FILE'>, true> = {
    NOT_JSON: true,
    TRUNCATED: true,
    NOT_AN_OBJECT: true,
    TRAILING_TEXT: true,
    INVALID_ENCODING: true,
    LINE_TOO_LONG: true,
    DUPLICATE_KEY: true,
    MISSING_REQUIRED: true,
    WRONG_TYPE: true,
    OUT_OF_RANGE: true,
  };
  const given: readonly FaultReason[] = FAULT_KINDS.map((kind) => FAULTS[kind].reason);
  expect(new Set(given)).toEqual(new Set(Object.keys(ofLines)));
});

test('an over-long line is offered, but not emitted', () => {
  expect(FAULT_KINDS).toContain('over_a_mebibyte');
  for (const entity of ENTITIES) expect(emittedKinds(entity)).not.toContain('over_a_mebibyte');
});

test('a kind that does not apply and a line that is no good one are refused', () => {
  expect(() => spoil(GOOD.customer[0] as string, 'ninety_nine_g', 'customer')).toThrow(SampleError);
  expect(() => spoil('{"x":', 'null', 'accelerometer')).toThrow(SampleError);
  expect(() => spoil('{"x":1}', 'empty_text', 'accelerometer')).not.toThrow();
  expect(() => spoil('{"x":1}', 'seconds', 'accelerometer')).toThrow(/has no timestamp/);
});
