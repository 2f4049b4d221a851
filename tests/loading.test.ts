import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './support/lake';

test('a stack without a private network loads no awsx', () => {
  const program = join(ROOT, 'bench', 'preview-program.ts');
  const told = execFileSync(process.execPath, ['--require', './cli/typescript.js', program], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  expect(JSON.parse(told)).toMatchObject({ awsx: false, resources: expect.any(Number) });
});
