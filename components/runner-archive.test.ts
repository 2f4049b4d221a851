import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { RUNNER } from '../engines/root';
import { python, withPython } from '../tests/support/python';
import { runnerArchive } from './runner-archive';

const made: string[] = [];
const newDir = () => {
  made.push(mkdtempSync(join(tmpdir(), 'runner-archive-')));
  return made.at(-1) as string;
};
afterAll(() => {
  for (const dir of made) rmSync(dir, { recursive: true });
});

/** A runner of some files, written in the order in which they are given. */
function runnerOf(files: readonly (readonly [string, string])[]): string {
  const dir = newDir();
  for (const [name, text] of files) {
    mkdirSync(dirname(join(dir, 'lakehouse_runner', name)), { recursive: true });
    writeFileSync(join(dir, 'lakehouse_runner', name), text);
  }
  return dir;
}
const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

const FILES = [
  ['__init__.py', ''],
  ['b.py', 'B = "é"\n'],
  ['a.py', 'A = 1\n'],
  ['part/__init__.py', 'import os\n'],
  // Before what is in the folder, which a disk lists first.
  ['part-two.py', 'b = 2\n'],
] as const;
// Not computed here: another machine has to come to it too.
const HASH = '5bc7137b4bfe4eba6aba2720b21695e74ea5af8a7853d66e9ea7f7c44eb9bf0a';

test('is the same bytes on any machine', () => {
  expect(hashOf(runnerArchive(runnerOf(FILES)))).toBe(HASH);
});

test('whatever the order and the times of the files, and what lies beside them', () => {
  const dir = runnerOf(FILES.toReversed());
  for (const [name] of FILES) utimesSync(join(dir, 'lakehouse_runner', name), 1_000_000, 2_000_000);
  for (const more of ['notes.md', 'a.pyc', '__pycache__/a.cpython-311.pyc', '.a.py.swp']) {
    mkdirSync(dirname(join(dir, 'lakehouse_runner', more)), { recursive: true });
    writeFileSync(join(dir, 'lakehouse_runner', more), 'x');
  }
  writeFileSync(join(dir, 'main.py'), 'x');
  expect(hashOf(runnerArchive(dir))).toBe(HASH);
});

test('whatever line ends a checkout gives them', () => {
  const windows = FILES.map(([name, text]) => [name, text.replaceAll('\n', '\r\n')] as const);
  expect(hashOf(runnerArchive(runnerOf(windows)))).toBe(HASH);
});

test.each(['UTC', 'Asia/Kolkata', 'America/Los_Angeles', 'Pacific/Apia'])('in the time zone %s', (zone) => {
  const program = `
    const { runnerArchive } = require('./components/runner-archive');
    const { createHash } = require('node:crypto');
    console.log(createHash('sha256').update(runnerArchive(process.argv[1])).digest('hex'));`;
  const told = execFileSync(
    process.execPath,
    ['--require', './cli/typescript.js', '-e', program, runnerOf(FILES)],
    {
      cwd: join(__dirname, '..'),
      env: { ...process.env, TZ: zone },
      encoding: 'utf8',
    },
  );
  expect(told.trim()).toBe(HASH);
});

test.each([
  ['a changed byte', 'a.py', 'A = 2\n'],
  ['another file', 'c.py', ''],
])('%s changes it', (_, name, text) => {
  const files = new Map<string, string>([...FILES, [name, text]]);
  expect(hashOf(runnerArchive(runnerOf([...files])))).not.toBe(HASH);
});

withPython('to Python', () => {
  test('it is a zip of the package, and nothing else', () => {
    const zip = join(newDir(), 'runner.zip');
    writeFileSync(zip, runnerArchive(runnerOf(FILES)));
    const told = python(`
import json, zipfile
with zipfile.ZipFile(${JSON.stringify(zip)}) as z:
    print(json.dumps([z.testzip(), [[i.filename, z.read(i).decode(), i.date_time] for i in z.infolist()]]))`);
    const time = [2000, 1, 1, 12, 0, 0];
    expect(JSON.parse(told)).toEqual([
      null,
      [
        ['lakehouse_runner/__init__.py', '', time],
        ['lakehouse_runner/a.py', 'A = 1\n', time],
        ['lakehouse_runner/b.py', 'B = "é"\n', time],
        ['lakehouse_runner/part-two.py', 'b = 2\n', time],
        ['lakehouse_runner/part/__init__.py', 'import os\n', time],
      ],
    ]);
  });

  test('the runner can be imported from it', () => {
    const dir = newDir();
    cpSync(join(RUNNER, 'lakehouse_runner'), join(dir, 'lakehouse_runner'), { recursive: true });
    const zip = join(dir, 'runner.zip');
    writeFileSync(zip, runnerArchive(dir));
    const told = python(
      `
import lakehouse_runner.manifest as manifest
print(manifest.__file__)`,
      { path: zip },
    );
    expect(told.trim()).toBe(join(zip, 'lakehouse_runner', 'manifest.py'));
  });
});
