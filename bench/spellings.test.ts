import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireSame, type SpellingName, spelledOf } from './spellings';

const CUSTOMER = '{"customerName": "A \\"{,}: @", "email": "a@b.c", "registrationDate": 1655564376361}';
const READING = '{"user":"a@b.c","timestamp":1655564444103,"x":1.0,"y":-1.0,"z":0.0}';
const STEP = '{"sensorReadingTime":1655564444103,"serialNumber":"50f7","distanceFromObject":218}';
const READINGS = 1200;

describe('spelledOf', () => {
  let dir: string;
  const data = () => join(dir, 'data');

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'spellings-'));
    for (const [entity, text] of [
      ['customer', CUSTOMER],
      // Longer than one portion of the stream, the last line without its end.
      ['accelerometer', `${READING}\n`.repeat(READINGS).trimEnd()],
      ['step_trainer', `${STEP}\n`],
    ] as const) {
      await mkdir(join(data(), entity, 'landing'), { recursive: true });
      await writeFile(join(data(), entity, 'landing', 'a.json'), text);
    }
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const spelled = async (name: SpellingName) => {
    const folder = await spelledOf(data(), name);
    const text = (entity: string) => readFile(join(folder, entity, 'landing', 'a.json'), 'utf8');
    return {
      folder,
      customer: await text('customer'),
      accelerometer: await text('accelerometer'),
      step_trainer: await text('step_trainer'),
    };
  };

  it.each([
    [
      'a further key',
      '{"user":"a@b.c","timestamp":1655564444103,"x":1.0,"y":-1.0,"z":0.0,"appVersion":"4.2.0"}',
    ],
    ['another key order', '{"z":0.0,"y":-1.0,"x":1.0,"timestamp":1655564444103,"user":"a@b.c"}'],
    ['an alias', '{"user":"a@b.c","timeStamp":1655564444103,"x":1.0,"y":-1.0,"z":0.0}'],
    [
      'order, further key, alias',
      '{"z":0.0,"y":-1.0,"x":1.0,"timeStamp":1655564444103,"user":"a@b.c","appVersion":"4.2.0"}',
    ],
    [
      'pretty-printed',
      '{\n  "user": "a@b.c",\n  "timestamp": 1655564444103,\n  "x": 1.0,\n  "y": -1.0,\n  "z": 0.0\n}',
    ],
  ] as const)('writes %s, and numbers as they were', async (name, text) => {
    const { accelerometer, customer } = await spelled(name);
    expect(accelerometer).toBe(`${text}\n`.repeat(READINGS));
    expect(JSON.parse(customer)).toMatchObject(JSON.parse(CUSTOMER));
  });

  it('writes 100 objects a line over all portions', async () => {
    const { accelerometer, customer } = await spelled('100 objects a line');
    expect(accelerometer).toBe(`${READING.repeat(100)}\n`.repeat(READINGS / 100));
    expect(customer).toBe(CUSTOMER);
  });

  it('spoils every 100th line, each time in another way', async () => {
    const { accelerometer, customer } = await spelled('1 % of bad lines');
    const lines = accelerometer.split('\n');
    expect(lines.filter((line) => line === READING)).toHaveLength(READINGS * 0.99);
    expect([99, 199, 299, 399, 499, 599].map((n) => lines[n])).toEqual([
      '{"user":"a@b.c","timestamp":16555',
      '{"user":"a@b.c","timestamp":1655564444103,"x":"1","y":-1,"z":0}',
      '{"user":"a@b.c","timestamp":1655564444,"x":1,"y":-1,"z":0}',
      '{"timestamp":1655564444103,"x":1,"y":-1,"z":0}',
      `${READING} # sent`,
      '{"user":"a@b.c","timestamp":16555',
    ]);
    expect(customer).toBe(`${CUSTOMER}\n`);
  });

  it('keeps the folder until the data changes', async () => {
    const { folder } = await spelled('pretty-printed');
    expect(folder).toBe(`${data()}-pretty-printed`);
    const step = join(folder, 'step_trainer', 'landing', 'a.json');
    await writeFile(step, 'kept');
    expect((await spelled('pretty-printed')).step_trainer).toBe('kept');
    await writeFile(join(data(), 'step_trainer', 'landing', 'a.json'), `${STEP}\n${STEP}\n`);
    expect((await spelled('pretty-printed')).step_trainer.split('\n}\n')).toHaveLength(3);
  });
});

test('requireSame compares rows, and of bad lines only what was read', () => {
  const plain = { read: { a_landing: 9 }, counts: { a_landing: 9, a: 4 } };
  const fewer = { read: { a_landing: 9 }, counts: { a_landing: 8, a: 3 } };
  expect(() => requireSame('an alias', plain, plain)).not.toThrow();
  expect(() => requireSame('an alias', fewer, plain)).toThrow(
    'an alias:\na_landing: lake run has 8 rows, the plain spelling 9\na: lake run has 3 rows, the plain spelling 4',
  );
  expect(() => requireSame('1 % of bad lines', fewer, plain)).not.toThrow();
  expect(() => requireSame('1 % of bad lines', { ...fewer, read: { a_landing: 8 } }, plain)).toThrow(
    'a_landing',
  );
});
