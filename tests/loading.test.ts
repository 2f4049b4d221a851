import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, temporaryDir } from './support/lake';

const dir = temporaryDir('loading');

test('a stack without a private network loads no awsx', () => {
  const program = join(ROOT, 'bench', 'preview-program.ts');
  const told = execFileSync(process.execPath, ['--require', './cli/typescript.js', program], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  expect(JSON.parse(told)).toMatchObject({ awsx: false, resources: expect.any(Number) });
});

test('an error says its place in the TypeScript, also of a program that Pulumi starts', () => {
  const file = join(dir, 'wrong.ts');
  writeFileSync(file, "interface Gone {\n  readonly a: string;\n}\n\nthrow new Error('wrong');\n");
  // As its start of a program does.
  const start = `require(require.resolve('source-map-support/register', { paths: [require.resolve('@pulumi/pulumi')] }));
    require(${JSON.stringify(file)});`;
  const { stderr } = spawnSync(process.execPath, ['--require', './cli/typescript.js', '--eval', start], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  expect(stderr).toContain('wrong.ts:5:7');
});
