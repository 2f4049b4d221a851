import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

// The SDK warns of Node 20 where a test makes clients itself.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

/** A request of an SDK client, as a stand-in of AWS sees it. */
export interface AwsRequest {
  /** Counts from 0, those that a fault answers too. */
  readonly index: number;
  readonly method: string;
  /** Decoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  /** As it was sent. */
  readonly body: Buffer;
  /** Of the JSON protocol: what is called, such as `StartQueryExecution`; empty otherwise. */
  readonly operation: string;
}

export interface AwsResponse {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/**
 * What goes wrong with a request: an answer in place of the real one; the connection is closed before anything is done
 * (`reset`), or after it was done and half of the answer was sent (`cut`).
 */
export type Fault = AwsResponse | 'reset' | 'cut';

/** An answer in AWS's JSON protocol. */
export const json = (value: unknown, status = 200): AwsResponse => ({
  status,
  headers: { 'content-type': 'application/x-amz-json-1.1' },
  body: JSON.stringify(value),
});

/** An error in AWS's JSON protocol. */
export const jsonError = (type: string, message: string, status = 400): AwsResponse =>
  json({ __type: type, message }, status);

/** What the SDK is given to reach a stand-in, and nothing else of this machine's AWS. */
export const awsEnvironment = (url: string): Readonly<Record<string, string>> => ({
  AWS_ENDPOINT_URL: url,
  AWS_ACCESS_KEY_ID: 'AKIASTANDIN',
  AWS_SECRET_ACCESS_KEY: 'stand-in',
  AWS_REGION: 'us-east-1',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
});

/** A server of HTTP that stands in for AWS, and can fail at any request. */
export class AwsServer {
  readonly requests: AwsRequest[] = [];
  /** Decides which requests fail, and how. */
  fault: (request: AwsRequest) => Fault | undefined = () => undefined;
  private readonly server: Server;

  constructor(private readonly handle: (request: AwsRequest) => AwsResponse | Promise<AwsResponse>) {
    this.server = createServer((message, response) => {
      this.answer(message, response).catch((error: unknown) => {
        // A fault of the stand-in itself: the client must not take it for one of AWS that it may try again.
        response.writeHead(400, { 'content-type': 'text/plain' }).end(`stand-in: ${String(error)}`);
      });
    });
  }

  /** Listens on a free port of this machine. Returns the URL. */
  start(): Promise<string> {
    return new Promise((done) => {
      this.server.listen(0, '127.0.0.1', () => {
        done(`http://127.0.0.1:${(this.server.address() as AddressInfo).port}`);
      });
    });
  }

  stop(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((done) => this.server.close(() => done()));
  }

  private async answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk as Buffer);
    const url = new URL(message.url ?? '/', 'http://stand-in');
    const target = message.headers['x-amz-target'];
    const request: AwsRequest = {
      index: this.requests.length,
      method: message.method ?? 'GET',
      path: decodeURIComponent(url.pathname),
      query: url.searchParams,
      headers: message.headers,
      body: Buffer.concat(chunks),
      operation: typeof target === 'string' ? target.slice(target.indexOf('.') + 1) : '',
    };
    this.requests.push(request);
    const fault = this.fault(request);
    if (fault === 'reset') {
      response.destroy();
      return;
    }
    const {
      status = 200,
      headers = {},
      body = '',
    } = typeof fault === 'object' ? fault : await this.handle(request);
    const bytes = Buffer.from(body as string);
    if (fault === 'cut' && (bytes.length === 0 || request.method === 'HEAD')) {
      // Half of a head is no answer either.
      response.destroy();
      return;
    }
    response.writeHead(status, { 'content-length': bytes.length, ...headers });
    if (fault === 'cut') {
      response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy());
      return;
    }
    response.end(request.method === 'HEAD' ? undefined : bytes);
  }
}
