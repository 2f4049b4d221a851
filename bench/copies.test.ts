import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { copiesOf, renamed } from './copies';

const CUSTOMER =
  '{"customerName": "A @ B", "email": "a.b@example.com", "serialNumber": "50f7b4f3-7af5", "registrationDate": 1}\n';
const READING = '{"user":"a.b@example.com","timestamp":1,"x":1.0,"y":-1.0,"z":0.0}\n';
const STEP = '{"sensorReadingTime":1,"serialNumber":"50f7b4f3-7af5","distanceFromObject":218}\n';

describe('renamed', () => {
  it('gives the three entities the same fresh e-mail and serial number, and keeps all else', () => {
    expect(renamed(CUSTOMER, 17)).toBe(
      '{"customerName": "A @ B", "email": "a.b+17@example.com", "serialNumber": "0011b4f3-7af5", "registrationDate": 1}\n',
    );
    expect(renamed(READING, 17)).toBe(
      '{"user":"a.b+17@example.com","timestamp":1,"x":1.0,"y":-1.0,"z":0.0}\n',
    );
    expect(renamed(STEP, 17)).toBe(
      '{"sensorReadingTime":1,"serialNumber":"0011b4f3-7af5","distanceFromObject":218}\n',
    );
  });

  it('renames every line', () => {
    expect(renamed(READING + READING, 2).match(/\+2@/g)).toHaveLength(2);
  });

  it('leaves the first copy as it is', () => {
    expect(renamed(CUSTOMER, 0)).toBe(CUSTOMER);
  });
});

describe('copiesOf', () => {
  let dir: string;
  const source = () => join(dir, 'data');
  const put = async (file: string, text: string) => {
    await mkdir(dirname(join(source(), file)), { recursive: true });
    await writeFile(join(source(), file), text);
  };

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'copies-'));
    await put('customer/landing/c.json', CUSTOMER);
    // Longer than one portion of the stream, the last line without its end.
    await put('accelerometer/landing/a.json', READING.repeat(3000).trimEnd());
    await put('step_trainer/landing/s.json', STEP);
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('makes as many files an entity, each as if renamed in one piece', async () => {
    const copies = await copiesOf(source(), 3, dir);
    const landing = join(copies, 'accelerometer', 'landing');
    expect((await readdir(landing)).sort()).toEqual(['a-copy-0.json', 'a-copy-1.json', 'a-copy-2.json']);
    const text = READING.repeat(3000).trimEnd();
    for (const copy of [0, 1, 2]) {
      expect(await readFile(join(landing, `a-copy-${copy}.json`), 'utf8')).toBe(renamed(text, copy));
    }
    expect(await readFile(join(copies, 'customer/landing/c-copy-2.json'), 'utf8')).toBe(renamed(CUSTOMER, 2));
  });

  it('says which entity has no files', async () => {
    await rm(join(source(), 'step_trainer/landing/s.json'));
    await expect(copiesOf(source(), 1, dir)).rejects.toThrow(/no \*\.json in .*step_trainer.landing/);
  });

  it('keeps copies until the source changes', async () => {
    const step = join(await copiesOf(source(), 1, dir), 'step_trainer/landing/s-copy-0.json');
    await writeFile(step, 'kept');
    await copiesOf(source(), 1, dir);
    expect(await readFile(step, 'utf8')).toBe('kept');
    await put('step_trainer/landing/s.json', STEP + STEP);
    await copiesOf(source(), 1, dir);
    expect(await readFile(step, 'utf8')).toBe(STEP + STEP);
  });
});
