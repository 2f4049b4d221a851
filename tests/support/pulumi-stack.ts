// The real Pulumi engine, on a copy of a program, with the stand-ins of tests/standin for its providers: no AWS, no
// network. What a Pulumi.yaml has to say of a program in TypeScript that runs as it stands:
//
//   runtime: {name: nodejs, options: {typescript: false, nodeargs: "--require ./cli/typescript.js"}}
//
// With that an index.ts beside it is found, with neither `main` here nor in package.json. A `pulumi preview` of four
// resources takes 2.3 s.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import { pinnedWheel, runnerModule } from '../../components/runner-module';
import { serve } from '../standin/aws/provider';
import { enter, type World } from '../standin/aws/world';
import { ended, type Ran, ROOT } from './lake';
import { findPulumi } from './pulumi-engine';

const AWSX = { name: 'awsx', path: join(ROOT, 'tests', 'standin', 'awsx'), version: '3.9.0' };
/** What a copy of the project leaves out: it is big, or no part of the program. */
const LEFT_OUT = /^(node_modules|tests|docs|bench|\..*)$/;

/** A pseudonymKey of a stack that is only tested. */
export const PSEUDONYM_KEY = 'f2ca1bb6c7e907d06dafe4687e579fce76b37e4e93b7605022da52e6ccc26fd2';

export type Inputs = Readonly<Record<string, unknown>>;

/** What the engine does, or would do, to one resource. */
export interface Step {
  readonly op: string;
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  /** The properties for whose change there is a new one. */
  readonly replaceKeys: readonly string[];
  /** What changes, by path: `add`, `update-replace` and so on. */
  readonly diff: Readonly<Record<string, string>>;
  /** A value that is not known yet is UNKNOWN of tests/standin/aws/values, a secret `[secret]`. */
  readonly inputs: Inputs;
}

export interface Operation extends Ran {
  /** Without those that stay the same, and without the providers. */
  readonly steps: readonly Step[];
  /** What the engine says of each policy that is broken. */
  readonly violations: readonly {
    readonly policy: string;
    readonly level: string;
    readonly message: string;
  }[];
}

export interface Resource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly parent?: string;
  readonly inputs: Inputs;
  readonly outputs: Inputs;
}

export interface StackOptions {
  /** A folder with a program, or the text of its index.ts. */
  readonly program: string;
  readonly stack?: string;
  /** The folder of its packages. Default: this repository's. */
  readonly modules?: string;
  /** Beside what the project's own Pulumi.<stack>.yaml says; a key without a colon is the project's. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

/** Files of a program, by their paths in it, and what becomes of their texts. */
export type Edits = readonly (readonly [path: string, change: (text: string) => string])[];

export interface OperationOptions {
  /** The folder of the pack, in the copy if the path is relative. */
  readonly policyPack?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** The stand-in for AWS, once a stack was made. */
let served: Awaited<ReturnType<typeof serve>> | undefined;
export const stopServing = () => served?.stop();

const DEFAULT_PROJECT = {
  name: 'test',
  runtime: {
    name: 'nodejs',
    options: { typescript: false, nodeargs: `--require ${join(ROOT, 'cli', 'typescript.js')}` },
  },
};

/** A stack in a folder of its own, which goes when it is disposed of. */
export class Stack {
  readonly dir: string;
  readonly project: string;
  readonly stack: string;
  private readonly root = mkdtempSync(join(tmpdir(), 'pulumi-test-'));
  private readonly env: NodeJS.ProcessEnv;
  private operations = 0;
  private things: World = {};

  private constructor(options: StackOptions, port: number) {
    this.dir = join(this.root, 'program');
    this.stack = options.stack ?? 'dev';
    this.copy(options.program, options.modules ?? join(ROOT, 'node_modules'));
    const settings = join(this.dir, 'Pulumi.yaml');
    const own = existsSync(settings) ? parse(readFileSync(settings, 'utf8')) : DEFAULT_PROJECT;
    const { providers = [], ...plugins } = own.plugins ?? {};
    this.project = own.name;
    writeFileSync(settings, stringify({ ...own, plugins: { ...plugins, providers: [...providers, AWSX] } }));
    if (options.config) this.configure(options.config);
    // Nothing of the machine's own: no credentials, no settings of a Pulumi that is installed here.
    const state = join(this.root, 'state');
    mkdirSync(state);
    this.env = {
      PATH: [findPulumi(), dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
      HOME: this.root,
      PULUMI_HOME: join(this.root, 'home'),
      PULUMI_BACKEND_URL: `file://${state}`,
      PULUMI_CONFIG_PASSPHRASE: 'test',
      PULUMI_SKIP_UPDATE_CHECK: '1',
      // Else every operation looks for plugins on the network first, for 2.5 s.
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: 'true',
      // Else an operation writes the whole state after each resource: half of the time of an `up`.
      PULUMI_EXPERIMENTAL: 'true',
      PULUMI_SKIP_CHECKPOINTS: 'true',
      // Without it there is no --event-log.
      PULUMI_DEBUG_COMMANDS: 'true',
      PULUMI_DEBUG_PROVIDERS: `aws:${port}`,
      ...options.env,
    };
  }

  /** A new stack, with nothing in it. */
  static async in(options: StackOptions): Promise<Stack> {
    served ??= await serve();
    const made = new Stack(options, served.port);
    await made.succeed('stack', 'init', made.stack);
    for (const [key, value] of Object.entries(options.secrets ?? {}))
      await made.succeed('config', 'set', '--secret', key, value);
    return made;
  }

  private copy(program: string, modules: string) {
    mkdirSync(this.dir);
    if (existsSync(program))
      cpSync(program, this.dir, {
        recursive: true,
        filter: (from) => dirname(from) !== program || !LEFT_OUT.test(basename(from)),
      });
    else {
      writeFileSync(join(this.dir, 'index.ts'), program);
      writeFileSync(join(this.dir, 'package.json'), '{}');
    }
    symlinkSync(modules, join(this.dir, 'node_modules'));
    // What somebody with a private network has fetched.
    const runner = join(this.dir, 'jobs', 'runner');
    if (!existsSync(join(runner, 'requirements.txt'))) return;
    const { name } = pinnedWheel(runner, runnerModule(runner));
    mkdirSync(join(runner, 'wheels'), { recursive: true });
    writeFileSync(join(runner, 'wheels', name), 'a wheel');
    const sha256 = createHash('sha256').update('a wheel').digest('hex');
    writeFileSync(join(runner, 'wheels.sha256'), `${sha256}  ${name}\n`);
  }

  private configure(config: Readonly<Record<string, unknown>>) {
    const file = `Pulumi.${this.stack}.yaml`;
    if (!existsSync(join(this.dir, file))) writeFileSync(join(this.dir, file), 'config: {}\n');
    this.edit(file, (text) => {
      const own = parse(text);
      const named = Object.entries(config).map(([key, value]) => [
        key.includes(':') ? key : `${this.project}:${key}`,
        value,
      ]);
      return stringify({ ...own, config: { ...own.config, ...Object.fromEntries(named) } });
    });
  }

  /** Changes a file of the copy. */
  edit(path: string, change: (text: string) => string) {
    const file = join(this.dir, path);
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    const changed = change(text);
    if (changed === text) throw new Error(`the edit of ${path} changes nothing`);
    writeFileSync(file, changed);
  }

  /** Does something with files changed, or new ones, and then puts everything back. */
  async edited<T>(edits: Edits, act: () => Promise<T>): Promise<T> {
    const before = edits.map(([path]) => {
      const file = join(this.dir, path);
      return [file, existsSync(file) ? readFileSync(file) : undefined] as const;
    });
    try {
      for (const [path, change] of edits) {
        mkdirSync(dirname(join(this.dir, path)), { recursive: true });
        this.edit(path, change);
      }
      return await act();
    } finally {
      for (const [file, bytes] of before) {
        if (bytes) writeFileSync(file, bytes);
        else rmSync(file, { force: true });
      }
    }
  }

  /** `pulumi` with any arguments. */
  pulumi(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
    return this.ran('pulumi', [...args, '--non-interactive', '--color=never'], env);
  }

  /** Any command in the copy, where `pulumi` is found. One at a time, also of other stacks. */
  ran(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
    enter(this.things);
    return ended(
      spawn(command, args, {
        cwd: this.dir,
        env: { ...this.env, PULUMI_STACK: this.stack, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
  }

  private async succeed(...args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.pulumi(args);
    if (status !== 0) throw new Error(`pulumi ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`);
    return stdout;
  }

  private async operate(
    args: readonly string[],
    { policyPack, args: more = [], env }: OperationOptions,
  ): Promise<Operation> {
    const log = join(this.root, `events-${this.operations++}.jsonl`);
    const pack = policyPack === undefined ? [] : ['--policy-pack', resolve(this.dir, policyPack)];
    const ran = await this.pulumi([...args, ...pack, ...more, '--event-log', log], env);
    const events = existsSync(log) ? lines<EngineEvent>(log) : [];
    return {
      ...ran,
      steps: events.flatMap(({ resourcePreEvent }) => (resourcePreEvent ? stepOf(resourcePreEvent) : [])),
      violations: events.flatMap(({ policyEvent }) =>
        policyEvent
          ? [
              {
                policy: policyEvent.policyName,
                level: policyEvent.enforcementLevel,
                message: policyEvent.message.trim(),
              },
            ]
          : [],
      ),
    };
  }

  preview({ expectNoChanges = false, ...options }: OperationOptions & { expectNoChanges?: boolean } = {}) {
    return this.operate(['preview', ...(expectNoChanges ? ['--expect-no-changes'] : [])], options);
  }

  up(options: OperationOptions = {}) {
    return this.operate(['up', '--yes', '--skip-preview'], options);
  }

  destroy(options: OperationOptions = {}) {
    return this.operate(['destroy', '--yes', '--skip-preview'], options);
  }

  async outputs(): Promise<Readonly<Record<string, unknown>>> {
    return JSON.parse(await this.succeed('stack', 'output', '--json', '--show-secrets'));
  }

  /** The state, as text. */
  exported(): Promise<string> {
    return this.succeed('stack', 'export');
  }

  /** Takes a state in place of its own. */
  async import(state: string) {
    const file = join(this.root, 'import.json');
    writeFileSync(file, state);
    await this.succeed('stack', 'import', '--file', file);
  }

  /** Does something to the stack, and then puts its state and the world back. */
  async undone<T>(act: (state: string) => Promise<T>): Promise<T> {
    const [state, world] = [await this.exported(), this.world()];
    try {
      return await act(state);
    } finally {
      await this.import(state);
      this.things = world;
    }
  }

  /** Every resource as the engine keeps it; its inputs are what the provider was sent. */
  async resources(): Promise<Resource[]> {
    const { deployment } = JSON.parse(await this.exported());
    return (deployment.resources ?? []).map((one: Partial<Resource>) => ({
      inputs: {},
      outputs: {},
      ...one,
    }));
  }

  /** What exists in the stand-in's AWS. */
  world(): World {
    return structuredClone(this.things);
  }

  /** Puts something there that is not the stack's. */
  putInWorld(type: string, id: string, state: Inputs = {}) {
    const thing = { id, inputs: {}, state } as World[string][string];
    this.things[type] = { ...this.things[type], [id]: thing };
  }

  /** Takes things away by their ids, as somebody does by hand. */
  removeFromWorld(type: string, ids: RegExp) {
    const left = Object.entries(this.things[type] ?? {}).filter(([id]) => !ids.test(id));
    this.things[type] = Object.fromEntries(left);
  }

  dispose() {
    rmSync(this.root, { recursive: true, force: true });
  }
}

const lines = <T>(file: string): T[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

interface EventState {
  readonly inputs?: Inputs;
}
interface EngineEvent {
  readonly resourcePreEvent?: {
    readonly metadata: {
      readonly op: string;
      readonly urn: string;
      readonly type: string;
      readonly old: EventState | null;
      readonly new: EventState | null;
      readonly keys?: readonly string[] | null;
      readonly detailedDiff?: Readonly<Record<string, { readonly diffKind: string }>> | null;
    };
  };
  readonly policyEvent?: {
    readonly policyName: string;
    readonly enforcementLevel: string;
    readonly message: string;
  };
}

function stepOf({ metadata }: NonNullable<EngineEvent['resourcePreEvent']>): Step[] {
  const { op, urn, type, keys, detailedDiff } = metadata;
  if (op === 'same' || type.startsWith('pulumi:providers:')) return [];
  const { inputs = {} } = metadata.new ?? metadata.old ?? {};
  const diff = Object.entries(detailedDiff ?? {}).map(([path, { diffKind }]) => [path, diffKind]);
  return [
    {
      op,
      urn,
      type,
      name: urn.split('::').at(-1) ?? '',
      replaceKeys: keys ?? [],
      diff: Object.fromEntries(diff),
      inputs,
    },
  ];
}
