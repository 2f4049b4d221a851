import { join } from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { LakeError, UsageError } from '../engines/engine';
import { codeVersion } from '../engines/version';
import { DefinitionError, type Pipeline } from '../model';

const ROOT = join(__dirname, '..');
const DIRS = { jobs: join(ROOT, 'jobs'), queries: join(ROOT, 'queries') };

const wholeNumber = (least: number) => (text: string) => {
  if (!/^\d+$/.test(text) || Number(text) < least) {
    throw new InvalidArgumentError(`It is a whole number from ${least} on.`);
  }
  return Number(text);
};

const share = (text: string) => {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!(value >= 0 && value <= 1)) throw new InvalidArgumentError('It is a share from 0 to 1, such as 0.02.');
  return value;
};

const lakeOption = () => new Option('--lake <dir>', 'folder of the lake').default('.lake');

/** The `lake` command over a pipeline. An action returns the exit status. */
function program(pipeline: Pipeline, exit: (status: number) => void): Command {
  const lake = new Command('lake')
    .description("STEDI's lakehouse on this machine")
    .version(codeVersion())
    .showHelpAfterError('(lake --help tells more)')
    .exitOverride();

  const run = lake
    .command('run')
    .description('take the landing files to machine_learning_curated, and publish all or nothing')
    .option('--data <dir>', 'folder with <entity>/landing/*; default: a sample that it makes')
    .addOption(lakeOption())
    .option('--only <job...>', 'run these jobs on what is published, and on --data if given')
    .option('--json', 'print the summary of the run as JSON');
  for (const p of pipeline.parameters) {
    run.addOption(new Option(`--${p.name} <rule>`, p.description).choices([...p.values]).default(p.default));
  }
  run.action(async (options) => {
    const { runCommand } = require('./run') as typeof import('./run');
    const parameters = Object.fromEntries(
      pipeline.parameters.map((p) => [p.name, options[p.name] as string]),
    );
    exit(await runCommand(pipeline, DIRS.jobs, { ...options, parameters }));
  });

  lake
    .command('query')
    .description('ask the published tables; without a name: list the queries there are')
    .argument('[query]', 'name of a file in queries/, or the path of a file')
    .option('-e, --execute <sql>', 'one SELECT')
    .addOption(lakeOption())
    .addOption(new Option('--format <format>').choices(['table', 'csv', 'json']).default('table'))
    .action(async (query: string | undefined, options) => {
      const { queryCommand } = require('./query') as typeof import('./query');
      await queryCommand(DIRS, { ...options, query });
    });

  lake
    .command('sample')
    .description('make landing files as the sources would write them')
    .requiredOption('--out <dir>', 'where <entity>/landing/* goes')
    .addOption(new Option('--customers <n>').argParser(wholeNumber(1)).default(1000))
    .addOption(new Option('--seed <n>', 'another seed, other data').argParser(wholeNumber(0)).default(1))
    .addOption(new Option('--dirty <share>', 'share of faulty lines').argParser(share).default(0))
    .action(async (options) => {
      const { sampleCommand } = require('./sample') as typeof import('./sample');
      await sampleCommand(options);
    });

  lake
    .command('check')
    .description('check the definition, the SQL, its cases and the queries; nothing is run')
    .action(async () => {
      const { checkCommand } = require('./check') as typeof import('./check');
      exit(await checkCommand(pipeline, DIRS));
    });
  return lake;
}

async function main(): Promise<number> {
  let status = 0;
  try {
    const { lake } = require('../pipeline') as typeof import('../pipeline');
    await program(lake, (code) => {
      status = code;
    }).parseAsync();
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof UsageError) return complain(error.message, 2);
    if (error instanceof LakeError || error instanceof DefinitionError) return complain(error.message, 1);
    return complain(systemError(error), 1);
  }
}

function complain(message: string, status: number): number {
  process.stderr.write(`lake: ${message}\n`);
  return status;
}

/** An error of the file system says what and where; of any other only its name is told: it may quote data. */
function systemError(error: unknown): string {
  const { code, path, syscall, name, stack } = error as NodeJS.ErrnoException;
  if (code && syscall)
    return `${syscall} ${path ?? ''} failed with ${code}; check the path, its permissions and the disk`;
  const place = /\n\s*at (?:.*\()?(.*?:\d+:\d+)\)?/.exec(stack ?? '')?.[1] ?? 'an unknown place';
  return `${name} in ${place}: a fault of lake itself, please report it`;
}

// A reader that ends early, such as head, is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

main().then((status) => {
  process.exitCode = status;
});
