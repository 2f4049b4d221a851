import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

test('an error says where it stands in the TypeScript', () => {
  const dir = mkdtempSync(join(tmpdir(), 'typescript-'));
  try {
    const file = join(dir, 'boom.ts');
    writeFileSync(
      file,
      'export interface Boom {\n  n: number;\n}\n\nthrow new TypeError(String({ n: 1 } as Boom));\n',
    );
    const script = `require(${JSON.stringify(join(__dirname, 'typescript.js'))});
      try { require(${JSON.stringify(file)}) } catch (error) { process.stdout.write(error.stack) }`;
    const stack = execFileSync(process.execPath, ['--eval', script], { encoding: 'utf8' });
    expect(stack).toContain('TypeError: [object Object]\n');
    expect(stack).toContain(`${file}:5:7`);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
