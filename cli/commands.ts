import { join, relative } from 'node:path';
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { UsageError } from '../engines/engine';
import { DEFINITION, type Project } from '../engines/project';
import { codeVersion } from '../engines/version';
import { GATES } from '../review/finding';
import { ENGINES } from './engine';
import { sampleOf } from './sample';
import { checkScopes, withStack as withStackOptions } from './stack-options';

const wholeNumber = (least: number, most: number) => (text: string) => {
  if (!/^\d+$/.test(text) || Number(text) < least || Number(text) > most) {
    throw new InvalidArgumentError(`It is a whole number from ${least} to ${most}.`);
  }
  return Number(text);
};

const share = (text: string) => {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!(value >= 0 && value <= 1)) throw new InvalidArgumentError('It is a share from 0 to 1, such as 0.02.');
  return value;
};

const gigabytes = (text: string) => {
  if (!/^\d+(\.\d+)?$/.test(text))
    throw new InvalidArgumentError('It is a number of gigabytes, such as 0.5.');
  return Number(text);
};

/** Bytes: `500MB`, `2GB`, or a number of megabytes. */
const bytes = (text: string) => {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*(MB|GB|TB)?$/i.exec(text.trim()) ?? [];
  const value = Math.floor(
    Number(number) * 1024 ** (2 + 'MGT'.indexOf((unit ?? 'M').charAt(0).toUpperCase())),
  );
  if (!(value > 0)) throw new InvalidArgumentError('It is a size, such as 500MB or 2GB.');
  return value;
};

const instant = (text: string) => {
  const at = new Date(text);
  if (!/^\d{4}-\d\d-\d\dT/.test(text) || Number.isNaN(at.getTime()))
    throw new InvalidArgumentError('It is an instant in ISO 8601, such as 2026-05-01T10:00:00Z.');
  return at;
};

const engineOption = () =>
  new Option('--engine <engine>', 'duckdb, or spark: what Glue runs, on Iceberg tables')
    .choices(ENGINES)
    .default('duckdb');

const EXAMPLES = {
  lake: `
Begin with:
  npx lake run           makes a sample and takes it through every job
  npx lake query         lists what can be asked, such as: npx lake query counts
  npx lake help <command>`,
  query: (table: string, source: string) => `
Examples:
  npx lake query counts
  npx lake query -e "SELECT * FROM ${table} LIMIT 5"
  npx lake query -e "SELECT reason, file, line FROM ${source}_quarantine"
  npx lake query counts --stack dev --max-scan 500MB`,
};

/** What every `lake` has: of a lakehouse, or outside of one. */
function frame(description: string): Command {
  const lake = new Command('lake')
    .description(description)
    .version(codeVersion())
    .option('--project <dir>', 'folder of the lakehouse; default: the nearest with a lakehouse.ts')
    .showHelpAfterError('(lake --help tells more)')
    .exitOverride();
  lake
    .command('init')
    .description('make a small lakehouse that runs, in a new or empty folder')
    .argument('<dir>', 'the folder; its name is that of the lakehouse')
    .action(async (dir: string) => {
      const { initCommand } = require('./init') as typeof import('./init');
      await initCommand(dir);
    });
  return lake;
}

/** `lake` where no lakehouse is: it can make one. */
export function outside(from: string): Command {
  const lake = frame('a typed lakehouse, on this machine or deployed by Pulumi').argument('[command...]');
  return lake.allowUnknownOption().action((words: readonly string[]) => {
    if (words.length === 0) lake.help();
    throw new UsageError(
      `no lakehouse here: neither ${from} nor a folder above it has a ${DEFINITION}; lake init DIR makes a lakehouse, --project DIR names one`,
    );
  });
}

/** The `lake` command of a lakehouse. An action returns the exit status. */
export function program(project: Project, exit: (status: number) => void): Command {
  const { dir, definition } = project;
  const { pipeline } = definition;
  const lake = frame(
    `${definition.description}; a lake on this machine, or with --stack one that was deployed`,
  ).addHelpText('after', EXAMPLES.lake);
  const lakeOption = () =>
    new Option('--lake <dir>', 'folder of the lake').default(relative('', join(dir, '.lake')));
  const withStack = (command: Command) => withStackOptions(command, dir);

  const withParameters = (command: Command) => {
    for (const p of pipeline.parameters) {
      const option = new Option(`--${p.name} <rule>`, p.description).default(p.default);
      // For the help only: what a run takes is checked in one place.
      option.argChoices = [...p.values];
      command.addOption(option);
    }
  };
  /** What nobody asked for is left to the lake: single jobs keep the rules that it was made by. */
  const parametersOf = (command: Command, options: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      pipeline.parameters.flatMap((p) =>
        command.getOptionValueSource(p.name) === 'cli' ? [[p.name, options[p.name] as string]] : [],
      ),
    );

  const run = withStack(lake.command('run'))
    .description('take the landing files through every job, and publish all or nothing')
    .option('--data <dir>', 'folder with <entity>/landing/*; default: a sample, made once')
    .addOption(lakeOption())
    .addOption(engineOption())
    .option('--only <job...>', 'run these jobs on what is published, and on --data if given')
    .addOption(
      new Option(
        '--time <instant>',
        "the run's own time: what is dated later does not count; default: now",
      ).argParser(instant),
    )
    .option('--full', 'make everything again, also what nothing has changed for')
    .option('--from <day>', 'make days again of tables that are made by day: the first (UTC)')
    .option('--to <day>', 'and the first day after them')
    .option('--json', 'print the summary of the run as JSON, and nothing else')
    .option('--verbose', 'print some bad rows of each warning')
    .option('--junit <file>', 'write how the expectations went as JUnit XML')
    .option('--events <file>', 'append the events of the run, in the words of OpenLineage')
    .option('--wait', 'on a stack: follow the run to its end (default)')
    .option('--no-wait', 'on a stack: start it, and print its id')
    .addHelpText('after', `\nJobs: ${pipeline.jobs.map((job) => `\n  ${job.name}`).join('')}`);
  withParameters(run);
  run.action(async (options) => {
    const parameters = parametersOf(run, options);
    checkScopes(run, { local: ['lake', 'engine', 'time', 'junit', 'from', 'to'], stack: ['wait'] });
    if (options.stack !== undefined) {
      const { runStackCommand } = require('./stack-run') as typeof import('./stack-run');
      return exit(await runStackCommand(project, { ...options, parameters, wait: options.wait ?? true }));
    }
    const { runCommand } = require('./run') as typeof import('./run');
    exit(await runCommand(project, { ...options, parameters }));
  });

  const plan = withStack(lake.command('plan'))
    .description('what a run would do with each table, and why; nothing is made')
    .option('--data <dir>', 'folder with <entity>/landing/*; default: the sample of the lake')
    .addOption(lakeOption())
    .addOption(engineOption())
    .option('--full', 'as of a run with it')
    .option('--json', 'print it as JSON');
  withParameters(plan);
  plan.action(async (options) => {
    checkScopes(plan, { local: ['data', 'lake', 'engine', 'full'], stack: [] });
    const { planCommand } = require('./plan') as typeof import('./plan');
    await planCommand(project, { ...options, parameters: parametersOf(plan, options) });
  });

  const query = lake
    .command('query')
    .description('ask the published tables; without a name, list the queries')
    .argument('[query]', 'name of a query in queries/, or the path of a file')
    .option('-e, --execute <sql>', 'one SELECT of your own')
    .addOption(lakeOption())
    .addOption(engineOption())
    .addOption(
      new Option('--format <format>', 'how to print').choices(['table', 'csv', 'json']).default('table'),
    );
  withStack(query)
    .addOption(
      new Option('--workgroup <who>', 'whose workgroup of the stack')
        .choices(['all', 'analysts'])
        .default('all'),
    )
    .addOption(
      new Option('--max-scan <size>', 'stop a query that scans more, such as 500MB or 2GB').argParser(bytes),
    )
    .addOption(
      new Option('--reuse <minutes>', 'take the result of the same query if it is no older').argParser(
        wholeNumber(1, 10_080),
      ),
    )
    .addHelpText(
      'after',
      EXAMPLES.query(pipeline.jobs[0]?.name ?? 'TABLE', pipeline.sources[0]?.name ?? 'SOURCE'),
    )
    .action(async (name: string | undefined, options) => {
      checkScopes(query, { local: ['lake', 'engine'], stack: ['workgroup', 'maxScan', 'reuse'] });
      const { queryCommand } = require('./query') as typeof import('./query');
      await queryCommand(project, { ...options, query: name });
    });

  const status = withStack(lake.command('status'))
    .description('what is published, and how the last run went; on a stack, what goes on too')
    .addOption(lakeOption())
    .addOption(engineOption())
    .option('--follow', 'on a stack: follow a run that goes on to its end')
    .option('--verbose', 'on a stack: print some bad rows of each warning')
    .option('--json', 'print it as JSON')
    .action(async (options) => {
      checkScopes(status, { local: ['lake', 'engine'], stack: ['follow', 'verbose'] });
      const { statusCommand } = require('./status') as typeof import('./status');
      exit(await statusCommand(pipeline, project.jobs, options));
    });

  withStack(lake.command('logs'))
    .description('what a run of a job on a stack said')
    .argument('<job>', 'the job')
    .option('--run <id>', 'run of the job, such as jr_0123; default: the newest')
    .addOption(
      new Option('--lines <n>', 'how many of the last lines')
        .argParser(wholeNumber(1, 1_000_000))
        .default(100),
    )
    .option('--follow', 'go on until the run has ended')
    .action(async (job: string, options) => {
      const { logsCommand } = require('./logs') as typeof import('./logs');
      await logsCommand(pipeline, { ...options, job });
    });

  withStack(lake.command('diff'))
    .description("compare a stack's tables with their contracts; status 1 where they differ")
    .option('--json', 'print the differences as JSON')
    .action(async (options) => {
      const { diffCommand } = require('./diff') as typeof import('./diff');
      exit(await diffCommand(pipeline, options));
    });

  const forget = lake
    .command('forget')
    .description('remove a person from every table, refused line and old version, and from runs to come')
    .requiredOption(
      '--subject <name>',
      'whom to forget, as the sources name them, such as an e-mail address; "-" reads it from the standard input, which keeps it out of the shell\'s history',
    )
    .addOption(lakeOption())
    .option('--dry-run', 'find and count, and change nothing')
    .option('--json', 'print the receipt as JSON');
  withStack(forget).action(async (options) => {
    checkScopes(forget, { local: ['lake'], stack: [] });
    const { forgetCommand } = require('./forget') as typeof import('./forget');
    exit(await forgetCommand(pipeline, project.jobs, options));
  });

  const unit = sampleOf(definition).unit;
  lake
    .command('sample')
    .description('make landing files as the sources would write them')
    .requiredOption('--out <dir>', 'where <entity>/landing/* goes')
    .addOption(
      new Option(`--${unit} <n>`, `how many ${unit} it holds`)
        .argParser(wholeNumber(1, Number.MAX_SAFE_INTEGER))
        .default(1000),
    )
    .addOption(
      new Option('--seed <n>', 'another seed, other data').argParser(wholeNumber(0, 2 ** 32 - 1)).default(1),
    )
    .addOption(new Option('--dirty <share>', 'share of faulty lines').argParser(share).default(0))
    .action(async (options) => {
      const { sampleCommand } = require('./sample') as typeof import('./sample');
      await sampleCommand(definition, { ...options, size: options[unit] });
    });

  withStack(
    lake
      .command('ingest')
      .description('put landing files in place in a deployed stack; what is there already stays')
      .argument('<dir>', 'folder with <entity>/landing/*')
      .option('--no-validate', 'upload the files without reading them by contract')
      .option('--replace', 'let files that changed take the place of those of their name')
      .option('--rewrite', 'write files that Athena would misread with one record a line')
      .option('--dry-run', 'print what would be uploaded, and upload nothing')
      .option('--json', 'print the summary as JSON, and nothing else'),
  ).action(async (data: string, options) => {
    const { ingestCommand } = require('./ingest') as typeof import('./ingest');
    exit(await ingestCommand(pipeline, data, options));
  });

  lake
    .command('check')
    .description('check the definition, the SQL, its cases and the queries; nothing is run')
    .argument('[job...]', 'nothing but the SQL and the cases of these jobs')
    .action(async (jobs: string[]) => {
      const { checkCommand } = require('./check') as typeof import('./check');
      exit(await checkCommand(project, jobs));
    });

  lake
    .command('describe')
    .description('what the lakehouse is: its tables, and with --json all that a review compares')
    .option('--json', 'print it as JSON')
    .action(async (options) => {
      const { describeCommand } = require('./describe') as typeof import('./describe');
      await describeCommand(project, options);
    });

  lake
    .command('review')
    .description('what this working tree changes: contracts, data, access, cost and infrastructure')
    .option('--base <ref>', 'compare with where this branch left that one; default: origin/HEAD or main')
    .option(
      '--data <dir>',
      "folder with <entity>/landing/* that both revisions run on; default: the base's sample",
    )
    .option('--preview <stack=file...>', 'what "pulumi preview --json" printed of a stack')
    .option('--link <url>', 'where the whole diff is')
    .option('--comment <file>', 'write the comment for the pull request there, in Markdown')
    .option('--github', "in GitHub Actions: print annotations, and add the comment to the job's summary")
    .addOption(
      new Option(
        '--fail-on <what...>',
        'status 1 where something breaks or is lost, data or the way to it is lost, or somebody may do more',
      ).choices(GATES),
    )
    .option('--json', 'print it as JSON, and nothing else')
    .action(async (options) => {
      const { reviewCommand } = require('./review') as typeof import('./review');
      exit(await reviewCommand(project, options));
    });

  lake
    .command('test')
    .description('run the cases of jobs: rows in, rows out')
    .argument('[job...]', 'only those of these jobs')
    .addOption(engineOption())
    .option('--junit <file>', 'write the results as JUnit XML')
    .option('--watch', 'run them again whenever a file of the lakehouse changes')
    .action(async (jobs: string[], options) => {
      const { testCommand } = require('./test') as typeof import('./test');
      exit(await testCommand(project, jobs, options));
    });

  const docs = withStack(lake.command('docs'))
    .description(
      'make one HTML file of the lakehouse: its tables, where their values come from, how its runs went',
    )
    .addOption(lakeOption())
    .addOption(engineOption())
    .option('--out <file>', 'the file to write; default: docs.html in the lake')
    .option('--open', 'open it in a browser')
    .action(async (options) => {
      checkScopes(docs, { local: ['engine'], stack: [] });
      const { docsCommand } = require('./docs') as typeof import('./docs');
      await docsCommand(project, options);
    });

  const odcs = () => require('./odcs') as typeof import('./odcs');
  lake
    .command('export')
    .description('write the contracts of all tables as others read them')
    .addArgument(new Argument('<standard>', 'odcs: the Open Data Contract Standard').choices(['odcs']))
    .option('--out <dir>', 'the folder to write to', 'contracts')
    .action((_: string, { out }: { out: string }) => odcs().exportOdcs(project, out));
  lake
    .command('import')
    .description('print the TypeScript of tables for a contract that others wrote')
    .addArgument(new Argument('<standard>', 'odcs: the Open Data Contract Standard').choices(['odcs']))
    .argument('<file>', 'the contract, YAML')
    .action((_: string, file: string) => odcs().importOdcs(file));

  lake
    .command('cost')
    .description('estimate what a stack costs a month on AWS; nothing is deployed or asked of AWS')
    .requiredOption('--stack <name>', 'stack of Pulumi.<name>.yaml')
    .addOption(
      new Option('--runs <n>', 'runs a month, of a stack without a schedule').argParser(
        wholeNumber(0, 1_000_000),
      ),
    )
    .addOption(new Option('--landing-gb <gb>', 'size of the landing files').argParser(gigabytes))
    .addOption(new Option('--queries <n>', 'queries a month').argParser(wholeNumber(0, 1_000_000_000)))
    .option('--json', 'print the estimate as JSON')
    .action(async (options) => {
      const { costCommand } = require('./cost') as typeof import('./cost');
      await costCommand(project, options);
    });
  return lake;
}
