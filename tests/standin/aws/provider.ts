// A stand-in for the plugin of @pulumi/aws: it speaks the engine's protocol, and instead of AWS there is an object
// (world.ts). The SDK's own server of providers (@pulumi/pulumi/provider) won't do: it never says whether a create
// is a preview, and knows no detailed diff.
import { promisify } from 'node:util';
import * as grpc from '@grpc/grpc-js';
import { PluginInfo } from '@pulumi/pulumi/proto/plugin_pb';
import { ResourceProviderService } from '@pulumi/pulumi/proto/provider_grpc_pb';
import * as proto from '@pulumi/pulumi/proto/provider_pb';
import { Empty } from 'google-protobuf/google/protobuf/empty_pb';
import { Struct } from 'google-protobuf/google/protobuf/struct_pb';
import { check, configure, create, diff, invoke, remove, update } from './model';
import type { Values } from './values';

const VERSION = '7.48.0';

const toStruct = (values: Values) => Struct.fromJavaScript(JSON.parse(JSON.stringify(values)));
const fromStruct = (struct: Struct | undefined) => (struct?.toJavaScript() ?? {}) as Values;

type Answer<Request, Response> = (request: Request) => Response;

/** One method of the service; what it throws is the error that the user of the program reads. */
const method =
  <Request, Response>(answer: Answer<Request, Response>): grpc.handleUnaryCall<Request, Response> =>
  ({ request }, callback) => {
    try {
      callback(null, answer(request));
    } catch (error) {
      callback({
        code: grpc.status.UNKNOWN,
        details: error instanceof Error ? error.message : String(error),
      });
    }
  };

const service: grpc.UntypedServiceImplementation = {
  getPluginInfo: method(() => new PluginInfo().setVersion(VERSION)),
  attach: method(() => new Empty()),
  cancel: method(() => new Empty()),
  getSchema: method(() => new proto.GetSchemaResponse().setSchema('{}')),
  checkConfig: method((request: proto.CheckRequest) =>
    new proto.CheckResponse().setInputs(request.getNews()),
  ),
  diffConfig: method(() => new proto.DiffResponse().setChanges(proto.DiffResponse.DiffChanges.DIFF_NONE)),
  configure: method((request: proto.ConfigureRequest) => {
    configure(fromStruct(request.getArgs()));
    return new proto.ConfigureResponse().setAcceptsecrets(true).setSupportspreview(true);
  }),
  check: method((request: proto.CheckRequest) => {
    const urn = request.getUrn();
    const seed = Buffer.from(request.getRandomseed_asU8());
    const [olds, news] = [fromStruct(request.getOlds()), fromStruct(request.getNews())];
    const { inputs, failures } = check(urn, olds, news, seed);
    return new proto.CheckResponse()
      .setInputs(toStruct(inputs))
      .setFailuresList(
        failures.map(({ property, reason }) =>
          new proto.CheckFailure().setProperty(property).setReason(reason),
        ),
      );
  }),
  diff: method((request: proto.DiffRequest) => {
    const { paths, deleteFirst } = diff(
      request.getUrn(),
      fromStruct(request.getOldInputs()),
      fromStruct(request.getNews()),
    );
    const { DIFF_NONE, DIFF_SOME } = proto.DiffResponse.DiffChanges;
    const top = (path: string) => path.split(/[.[]/)[0] ?? path;
    const replaced = paths.filter(({ replaces }) => replaces).map(({ path }) => top(path));
    const response = new proto.DiffResponse()
      .setChanges(paths.length > 0 ? DIFF_SOME : DIFF_NONE)
      .setDiffsList([...new Set(paths.map(({ path }) => top(path)))])
      .setReplacesList([...new Set(replaced)])
      .setDeletebeforereplace(replaced.length > 0 && deleteFirst)
      .setHasdetaileddiff(true);
    for (const { path, replaces, how } of paths) {
      const kind = proto.PropertyDiff.Kind[`${how}${replaces ? '_REPLACE' : ''}`];
      response.getDetaileddiffMap().set(path, new proto.PropertyDiff().setKind(kind).setInputdiff(true));
    }
    return response;
  }),
  create: method((request: proto.CreateRequest) => {
    const { id, state } = create(request.getUrn(), fromStruct(request.getProperties()), request.getPreview());
    return new proto.CreateResponse().setId(id).setProperties(toStruct(state));
  }),
  update: method((request: proto.UpdateRequest) => {
    const [olds, news] = [fromStruct(request.getOlds()), fromStruct(request.getNews())];
    const state = update(request.getUrn(), request.getId(), olds, news, request.getPreview());
    return new proto.UpdateResponse().setProperties(toStruct(state));
  }),
  delete: method((request: proto.DeleteRequest) => {
    remove(request.getUrn(), request.getId(), fromStruct(request.getProperties()));
    return new Empty();
  }),
  invoke: method((request: proto.InvokeRequest) => {
    const result = invoke(request.getTok(), fromStruct(request.getArgs()));
    return new proto.InvokeResponse().setReturn(toStruct(result));
  }),
};

/** Serves engines from this process, which saves each of their operations to start one. */
export async function serve(): Promise<{ readonly port: number; stop(): void }> {
  const server = new grpc.Server({
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
  });
  server.addService(ResourceProviderService, service);
  const listen = promisify(server.bindAsync.bind(server));
  const port = await listen('127.0.0.1:0', grpc.ServerCredentials.createInsecure());
  return { port, stop: () => server.forceShutdown() };
}
