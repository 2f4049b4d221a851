import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { accelerometerLanding, customerLanding } from '../../pipeline/landing';
import { temporaryDir } from '../../tests/support/lake';
import { filesOf, landingFolder } from './files';

const dir = temporaryDir('files');

/** An empty landing folder of customers. */
function folderOf(name: string): string {
  const landing = join(dir, name, 'customer', 'landing');
  mkdirSync(landing, { recursive: true });
  return landing;
}

test('a folder of files has no warning, nor has one that is missing', async () => {
  const landing = folderOf('plain');
  mkdirSync(join(landing, 'below'));
  writeFileSync(join(landing, 'below', 'b.json'), '');
  writeFileSync(join(landing, 'a.json'), '');
  const files = [join(landing, 'a.json'), join(landing, 'below', 'b.json')];
  expect(await landingFolder(join(dir, 'plain'), customerLanding)).toEqual({ files });
  expect(await landingFolder(join(dir, 'nowhere'), customerLanding)).toEqual({ files: [] });
});

test('hidden entries, FIFOs, sockets and links out of the folder are left out and named', async () => {
  const landing = folderOf('odd');
  writeFileSync(join(landing, 'a.json'), '');
  for (const name of ['.x', '_x', 'x._COPYING_']) writeFileSync(join(landing, name), '');
  mkdirSync(join(landing, '_folder'));
  writeFileSync(join(landing, '_folder', 'b.json'), '');
  const found = await landingFolder(join(dir, 'odd'), customerLanding);
  expect(found).toEqual({
    files: [join(landing, 'a.json')],
    warning:
      '4 entries of customer/landing are not read: .x (hidden), _folder (hidden), _x (hidden) and 1 more',
  });

  const pipes = folderOf('pipes');
  writeFileSync(join(pipes, 'a.json'), '');
  expect(spawnSync('mkfifo', [join(pipes, 'feed')]).status).toBe(0);
  const server = createServer().listen(join(pipes, 'socket'));
  await new Promise((resolve) => server.once('listening', resolve));
  expect((await landingFolder(join(dir, 'pipes'), customerLanding)).warning).toBe(
    '2 entries of customer/landing are not read: feed (a FIFO), socket (a socket)',
  );
  server.close();
});

test('links are followed within the folder only', async () => {
  const landing = folderOf('links');
  const elsewhere = join(dir, 'elsewhere');
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, 'secret.json'), '');
  writeFileSync(join(landing, 'a.json'), '');
  mkdirSync(join(landing, 'below'));
  symlinkSync(join(landing, 'a.json'), join(landing, 'below', 'same.json'));
  symlinkSync(landing, join(landing, 'below', 'loop'));
  symlinkSync(elsewhere, join(landing, 'folder'));
  symlinkSync(join(elsewhere, 'secret.json'), join(landing, 'link.json'));
  expect(await landingFolder(join(dir, 'links'), customerLanding)).toEqual({
    files: [join(landing, 'a.json'), join(landing, 'below', 'same.json')],
    warning:
      '3 entries of customer/landing are not read: below/loop (a link to a folder that holds it), folder (a link out of the folder), link.json (a link out of the folder)',
  });
  // The folder itself may be a link.
  mkdirSync(join(dir, 'linked', 'customer'), { recursive: true });
  symlinkSync(join(dir, 'plain', 'customer', 'landing'), join(dir, 'linked', 'customer', 'landing'));
  const linked = await landingFolder(join(dir, 'linked'), customerLanding);
  expect(linked.files).toHaveLength(2);
  expect(linked.warning).toBeUndefined();
});

test('the folders of a run: their files and warnings, or which have none', async () => {
  const { files, warnings } = await filesOf(join(dir, 'odd'), [customerLanding]);
  expect([...files.keys()]).toEqual(['customer_landing']);
  expect(warnings).toEqual([expect.stringMatching(/^4 entries of customer\/landing are not read: /)]);
  const landing = folderOf('hidden-only');
  writeFileSync(join(landing, '.x'), '');
  await expect(filesOf(join(dir, 'hidden-only'), [customerLanding, accelerometerLanding])).rejects.toThrow(
    /customer_landing: no file in .*; 1 entry of customer\/landing is not read: \.x \(hidden\)\n {2}accelerometer_landing: no file in [^;\n]*\n/,
  );
});
