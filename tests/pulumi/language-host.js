// Starts Node programs for Pulumi's engine, in tests, in place of Pulumi's own host, which no package registry has. The
// engine starts it as `pulumi-language-nodejs`, and speaks to it by gRPC. It compiles no TypeScript: programs bring a loader.
const { spawn } = require('node:child_process');
const { createRequire } = require('node:module');
const { join, resolve } = require('node:path');
const grpc = require('@grpc/grpc-js');
const { LanguageRuntimeService } = require('@pulumi/pulumi/proto/language_grpc_pb');
const language = require('@pulumi/pulumi/proto/language_pb');
const { PluginInfo } = require('@pulumi/pulumi/proto/plugin_pb');

/** The exit code of `cmd/run` for an error that the engine has shown. */
const SHOWN = 32;
const engine = process.argv.at(-1);

/** Starts a module of the SDK: the program's own, as an SDK keeps its state in its modules. */
function start(name, info, args, options) {
  const directory = info.getProgramDirectory();
  const { nodeargs } = info.getOptions()?.toJavaScript() ?? {};
  const main = createRequire(join(directory, 'package.json')).resolve(`@pulumi/pulumi/cmd/${name}`);
  const flags = nodeargs?.split(' ') ?? [];
  const child = spawn(process.execPath, [...flags, main, ...args], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  });
  process.once('exit', () => child.kill());
  return child;
}

/** Runs a program, with the host's own output, which the engine shows. */
function run({ request }, done) {
  const flags = {
    monitor: request.getMonitorAddress(),
    engine,
    project: request.getProject(),
    stack: request.getStack(),
    pwd: request.getPwd(),
    parallel: request.getParallel(),
    organization: request.getOrganization(),
  };
  const info = request.getInfo();
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  if (request.getDryrun()) args.push('--dry-run');
  const child = start('run', info, [...args, resolve(info.getProgramDirectory(), info.getEntryPoint())], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().toArray())),
      PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
    },
  });
  child.once('error', done);
  child.once('close', (code, signal) => {
    const response = new language.RunResponse();
    response.setBail(code === SHOWN);
    if (code !== 0 && code !== SHOWN) response.setError(`the program ended with ${code ?? signal}`);
    done(null, response);
  });
}

/** Runs a policy pack, the only kind of plugin for which tests need a host. */
function runPlugin(call) {
  const { request } = call;
  const info = request.getInfo();
  const child = start('run-policy-pack', info, [...request.getArgsList(), info.getProgramDirectory()], {
    env: Object.fromEntries(request.getEnvList().map((line) => line.split(/=(.*)/s, 2))),
  });
  const answer = (set) => (value) => {
    const response = new language.RunPluginResponse();
    response[set](value);
    call.write(response);
  };
  child.stdout.on('data', answer('setStdout'));
  child.stderr.on('data', answer('setStderr'));
  child.once('error', (error) => call.destroy(error));
  child.once('close', (code) => {
    answer('setExitcode')(code ?? 1);
    call.end();
  });
  call.once('cancelled', () => child.kill());
}

/** Has to be answered, be it with nothing. */
const getPluginInfo = (_call, done) => done(null, new PluginInfo());

const server = new grpc.Server();
server.addService(LanguageRuntimeService, { run, runPlugin, getPluginInfo });
server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.stdout.write(`${port}\n`);
});

// An engine that is killed leaves its host behind.
const parent = process.ppid;
setInterval(() => process.ppid === parent || process.exit(), 1000);
