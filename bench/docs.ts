// What `lake docs` takes beside the run that it shows, and how a large lakehouse feels in a browser.
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { launch, openFile } from '../tests/support/browser';
import { timed } from './measure';
import { median } from './report';
import { BENCH, inFreshFolder, sourceOf } from './source';

const CLI = resolve(__dirname, '..', 'cli', 'lake.js');
const RUNS = 3;
const [TABLES, COLUMNS, SOURCES] = [500, 10, 100];

const say = (text: string) => process.stdout.write(`${text}\n`);
const inSeconds = (seconds: number) => `${seconds.toFixed(2)} s`;
const lake = (...args: readonly string[]) => timed(process.execPath, [CLI, ...args]);

/** Milliseconds to the first paint of a page, and from the first letter of a search to what it found. */
async function measurePage(file: string, sought: string) {
  const browser = await launch();
  try {
    const times: { paint: number; hit: number; table: number }[] = [];
    for (let run = 0; run < RUNS; run++) {
      const { page } = await openFile(browser, file);
      const paint = Number(
        await page.evaluate(`performance.getEntriesByName('first-contentful-paint')[0].startTime`),
      );
      const until = (act: string, selector: string) =>
        page.evaluate(`new Promise((done) => {
          const began = performance.now();
          new MutationObserver(() => {
            if (document.querySelector(${JSON.stringify(selector)})) requestAnimationFrame(() => done(performance.now() - began));
          }).observe(document.body, { subtree: true, childList: true, attributes: true });
          ${act}
        })`) as Promise<number>;
      const hit = await until(
        `const box = document.querySelector('#search'); box.value = ${JSON.stringify(sought)}; box.dispatchEvent(new Event('input'));`,
        `#results a[href="#table/${sought}"]`,
      );
      const table = await until(`location.hash = '#table/${sought}';`, `main[data-place="table/${sought}"]`);
      times.push({ paint, hit, table });
    }
    const of = (what: 'paint' | 'hit' | 'table') =>
      `${median(times.map((time) => time[what])).toFixed(0)} ms`;
    return `first paint ${of('paint')}, search hit ${of('hit')}, a table ${of('table')}`;
  } finally {
    await browser.close();
  }
}

/** A lakehouse of many tables, each made of two before it. */
function generate(dir: string): void {
  mkdirSync(join(dir, 'jobs'), { recursive: true });
  writeFileSync(
    join(dir, 'lakehouse.ts'),
    `import { int, lakehouse, refined, text } from 'typed-lakehouse';
const words = lakehouse(['landing', 'made']);
const columns = Object.fromEntries(Array.from({ length: ${COLUMNS} }, (_, i) => [\`c\${i}\`, i % 2 ? int(\`Number \${i}.\`) : text(\`Text \${i}.\`)]));
const tables: any[] = [], jobs: any[] = [];
for (let i = 0; i < ${TABLES}; i++) {
  const name = \`table_\${i}\`;
  if (i < ${SOURCES}) tables.push(words.source({ name, zone: 'landing', entity: name, description: \`Source \${i}.\`, columns }));
  else {
    const output = words.table({ name, zone: 'made', description: \`Table \${i}.\`, columns: refined(columns) });
    jobs.push(words.job({ output, inputs: [tables[i - ${SOURCES}], tables[i - ${SOURCES - 1}]] as never, description: \`Job \${i}.\` }));
    tables.push(output);
  }
}
export default { name: 'large', description: 'A large lakehouse', pipeline: words.pipeline(
  words.zone('landing', { description: 'Sources.', tables: tables.slice(0, ${SOURCES}), jobs: [] }),
  words.zone('made', { description: 'Made.', tables: tables.slice(${SOURCES}), jobs }),
) };
`,
  );
  for (let i = SOURCES; i < TABLES; i++) {
    const list = Array.from({ length: COLUMNS }, (_, c) => `  ${c % 3 ? 'a' : 'b'}.c${c}`).join(',\n');
    const [a, b] = [i - SOURCES, i - SOURCES + 1].map((n) => `table_${n}`);
    writeFileSync(
      join(dir, 'jobs', `table_${i}.sql`),
      `SELECT\n${list}\nFROM ${a} a\nJOIN ${b} b ON b.c0 = a.c0\n`,
    );
  }
}

async function main(): Promise<number> {
  mkdirSync(BENCH, { recursive: true });
  const data = await sourceOf(process.argv[2], say);
  const isFast = await inFreshFolder(async (dir) => {
    const page = join(dir, 'page.html');
    const took = { run: [] as number[], docs: [] as number[] };
    for (let run = 0; run < RUNS; run++) {
      took.run.push((await lake('run', '--full', '--data', data, '--lake', join(dir, 'lake'))).seconds);
      took.docs.push((await lake('docs', '--lake', join(dir, 'lake'), '--out', page)).seconds);
    }
    const [run, docs] = [median(took.run), median(took.docs)];
    say(
      `STEDI: lake docs ${inSeconds(docs)} beside ${inSeconds(run)} of the run (≤ 1 × ${docs <= run ? 'ok' : 'OVER'}), ${Math.ceil(statSync(page).size / 1024)} KB`,
    );
    say(`  ${await measurePage(page, 'customer_trusted')}`);
    return docs <= run;
  });
  await inFreshFolder(async (dir) => {
    generate(dir);
    const page = join(dir, 'page.html');
    const { seconds } = await lake('docs', '--project', dir, '--lake', join(dir, 'lake'), '--out', page);
    say(
      `${TABLES} tables, ${TABLES * COLUMNS} columns: lake docs ${inSeconds(seconds)}, ${Math.ceil(statSync(page).size / 1024)} KB`,
    );
    say(`  ${await measurePage(page, 'table_321')}`);
  });
  return isFast ? 0 : 1;
}

main().then((status) => {
  process.exitCode = status;
});
