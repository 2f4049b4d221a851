import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { writtenCrc32 } from '../../engines/aws/checksum';
import type { AwsRequest, AwsResponse } from '../support/aws-server';

export interface S3Object {
  /** Empty where bodies are dropped. */
  readonly body: Buffer;
  readonly size: number;
  readonly etag: string;
  /** By header, such as `x-amz-checksum-crc32`. */
  readonly checksums: Readonly<Record<string, string>>;
  /** By header, such as `x-amz-meta-from`. */
  readonly metadata?: Readonly<Record<string, string>>;
}

interface S3Part extends S3Object {
  readonly crc32: number;
}

export interface S3Upload {
  readonly bucket: string;
  readonly key: string;
  readonly headers: AwsRequest['headers'];
  readonly parts: Map<number, S3Part>;
}

export interface S3Settings {
  /** The least that S3 takes of a part that is not the last: 5 MiB. */
  readonly leastPart?: number;
  /** How many entries a page of a listing has. */
  readonly pageSize?: number;
  /** Bodies are forgotten, their sizes and checksums are not. */
  readonly dropBodies?: boolean;
}

/** A refusal in S3's protocol. */
class Refused extends Error {
  constructor(
    readonly code: string,
    readonly status: number,
  ) {
    super(code);
  }
}

const NONE = Buffer.alloc(0);

/** What S3 does with the calls of an ingest: strict about conditions, checksums and parts, as S3 is. */
export class S3StandIn {
  readonly buckets = new Map<string, Map<string, S3Object>>();
  readonly uploads = new Map<string, S3Upload>();
  /** How many versions of an object are older than the one that is there, by `bucket/key`. */
  private readonly older = new Map<string, number>();
  private ids = 0;

  constructor(
    buckets: readonly string[],
    private readonly settings: S3Settings = {},
  ) {
    for (const bucket of buckets) this.buckets.set(bucket, new Map());
  }

  /** Puts an object there, as others do. */
  put(bucket: string, key: string, content: string | Buffer) {
    const body = Buffer.from(content as string);
    this.buckets.get(bucket)?.set(key, { body, size: body.length, etag: '"made"', checksums: {} });
  }

  /** The bodies of a bucket by key. */
  contentOf(bucket: string): ReadonlyMap<string, Buffer> {
    return new Map([...(this.buckets.get(bucket) ?? [])].map(([key, { body }]) => [key, body]));
  }

  handle = (request: AwsRequest): AwsResponse => {
    try {
      return this.answer(request);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return errorOf(error.code, error.status);
    } finally {
      if (this.settings.dropBodies) Object.assign(request, { body: NONE });
    }
  };

  private answer(request: AwsRequest): AwsResponse {
    const { method, query } = request;
    const [, bucket = '', key = ''] = /^\/([^/]+)\/?(.*)$/s.exec(request.path) ?? [];
    const objects = this.buckets.get(bucket);
    if (!objects) throw new Refused('NoSuchBucket', 404);
    const upload = () => {
      const found = this.uploads.get(query.get('uploadId') ?? '');
      if (found?.key !== key || found.bucket !== bucket) throw new Refused('NoSuchUpload', 404);
      return found;
    };
    if (key === '') {
      if (method !== 'GET') throw new Refused('MethodNotAllowed', 405);
      return query.has('versions') ? this.versions(bucket, objects, query) : this.list(objects, query);
    }
    if (query.has('uploads') && method === 'POST') return this.begin(bucket, key, request);
    if (query.has('uploadId')) {
      if (method === 'PUT') return this.putPart(upload(), request);
      if (method === 'POST') return this.complete(objects, upload(), request);
      upload();
      this.uploads.delete(query.get('uploadId') as string);
      return { status: 204 };
    }
    const older = this.older.get(`${bucket}/${key}`) ?? 0;
    if (method === 'PUT') {
      checkCondition(objects.get(key), request);
      if (objects.has(key)) this.older.set(`${bucket}/${key}`, older + 1);
      const object = { ...this.stored(request), metadata: metadataOf(request.headers) };
      objects.set(key, object);
      return { headers: { etag: object.etag, ...object.checksums } };
    }
    const object = objects.get(key);
    if (!object) throw new Refused('NoSuchKey', 404);
    if (method === 'DELETE') {
      if (query.has('versionId') && older > 0) this.older.set(`${bucket}/${key}`, older - 1);
      else objects.delete(key);
      return { status: 204 };
    }
    return {
      headers: {
        etag: object.etag,
        'content-length': String(object.size),
        ...(request.headers['x-amz-checksum-mode'] === 'ENABLED' && object.checksums),
        ...object.metadata,
      },
      body: object.body,
    };
  }

  /** The body of a request as an object. Throws where it is not what its checksums say. */
  private stored({ body, headers }: AwsRequest): S3Part {
    if (/aws-chunked/.test(headers['content-encoding'] ?? ''))
      throw new Error('bodies in signed chunks are not read here');
    const sha256 = headers['x-amz-content-sha256'];
    if (sha256 !== 'UNSIGNED-PAYLOAD' && sha256 !== createHash('sha256').update(body).digest('hex'))
      throw new Refused('XAmzContentSHA256Mismatch', 400);
    const value = crc32(body);
    const given = headers['x-amz-checksum-crc32'];
    if (given !== undefined && given !== writtenCrc32(value)) throw new Refused('BadDigest', 400);
    return {
      body: this.settings.dropBodies ? NONE : body,
      size: body.length,
      etag: `"${createHash('md5').update(body).digest('hex')}"`,
      crc32: value,
      checksums:
        given === undefined
          ? {}
          : { 'x-amz-checksum-crc32': given as string, 'x-amz-checksum-type': 'FULL_OBJECT' },
    };
  }

  private list(objects: ReadonlyMap<string, S3Object>, query: URLSearchParams): AwsResponse {
    const prefix = query.get('prefix') ?? '';
    const after = query.get('continuation-token') ?? query.get('start-after') ?? '';
    const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).toSorted(byText);
    const page = keys.slice(0, this.settings.pageSize ?? 1000);
    const more = page.length < keys.length;
    return xml('ListBucketResult', [
      ['IsTruncated', String(more)],
      ...encoding(query),
      ...(more ? [['NextContinuationToken', page.at(-1) as string] as const] : []),
      ...page.map((key) => {
        const { size, etag } = objects.get(key) as S3Object;
        return [
          'Contents',
          [
            ['Key', encoded(key, query)],
            ['Size', String(size)],
            ['ETag', etag],
          ],
        ] as const;
      }),
    ]);
  }

  private versions(
    bucket: string,
    objects: ReadonlyMap<string, S3Object>,
    query: URLSearchParams,
  ): AwsResponse {
    const keys = [...objects.keys()].filter((key) => key.startsWith(query.get('prefix') ?? ''));
    const versions = keys.flatMap((Key) =>
      Array.from({ length: 1 + (this.older.get(`${bucket}/${Key}`) ?? 0) }, (_, i) => ({ Key, id: `v${i}` })),
    );
    const entries = versions.map(
      ({ Key, id }): Element => [
        'Version',
        [
          ['Key', Key],
          ['VersionId', id],
        ],
      ],
    );
    return xml('ListVersionsResult', [['IsTruncated', 'false'], ...entries]);
  }

  private begin(bucket: string, key: string, { headers }: AwsRequest): AwsResponse {
    const id = `upload-${this.ids++}`;
    this.uploads.set(id, { bucket, key, headers, parts: new Map() });
    return xml('InitiateMultipartUploadResult', [['UploadId', id]]);
  }

  private putPart(upload: S3Upload, request: AwsRequest): AwsResponse {
    const part = this.stored(request);
    const isSummed = upload.headers['x-amz-checksum-algorithm'] === 'CRC32';
    if (isSummed && request.headers['x-amz-checksum-crc32'] === undefined)
      throw new Refused('InvalidRequest', 400);
    upload.parts.set(Number(request.query.get('partNumber')), part);
    return { headers: { etag: part.etag, ...part.checksums } };
  }

  private complete(objects: Map<string, S3Object>, upload: S3Upload, request: AwsRequest): AwsResponse {
    const asked = [...request.body.toString().matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, text = '']) => {
      const part = upload.parts.get(Number(/<PartNumber>(\d+)</.exec(text)?.[1]));
      const etag = /<ETag>(.*?)<\/ETag>/.exec(text)?.[1]?.replaceAll('&quot;', '"');
      const sum = /<ChecksumCRC32>(.*?)<\/ChecksumCRC32>/.exec(text)?.[1];
      if (!part || part.etag !== etag || sum !== part.checksums['x-amz-checksum-crc32'])
        throw new Refused('InvalidPart', 400);
      return part;
    });
    if (asked.length === 0) throw new Refused('MalformedXML', 400);
    const least = this.settings.leastPart ?? 5 << 20;
    if (asked.slice(0, -1).some(({ size }) => size < least)) throw new Refused('EntityTooSmall', 400);
    const body = Buffer.concat(asked.map((part) => part.body));
    const type = upload.headers['x-amz-checksum-type'];
    if (type !== request.headers['x-amz-checksum-type']) throw new Refused('BadDigest', 400);
    checkCondition(objects.get(upload.key), request);
    const etags = asked.map(({ etag }) => Buffer.from(etag.slice(1, -1), 'hex'));
    const etag = `"${createHash('md5').update(Buffer.concat(etags)).digest('hex')}-${asked.length}"`;
    objects.set(upload.key, {
      body,
      size: asked.reduce((total, { size }) => total + size, 0),
      etag,
      checksums: {
        'x-amz-checksum-crc32': writtenCrc32(crc32(body)),
        'x-amz-checksum-type': String(type ?? 'COMPOSITE'),
      },
      metadata: metadataOf(upload.headers),
    });
    this.uploads.delete(request.query.get('uploadId') as string);
    return xml('CompleteMultipartUploadResult', [['ETag', etag]]);
  }
}

const metadataOf = (headers: AwsRequest['headers']) =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      name.startsWith('x-amz-meta-') ? [[name, String(value)]] : [],
    ),
  );

function checkCondition(object: S3Object | undefined, { headers }: AwsRequest) {
  if (headers['if-none-match'] === '*' && object) throw new Refused('PreconditionFailed', 412);
  const etag = headers['if-match'];
  if (etag === undefined) return;
  if (!object) throw new Refused('NoSuchKey', 404);
  if (etag !== object.etag) throw new Refused('PreconditionFailed', 412);
}

/** An error as S3 answers it. */
export const errorOf = (code: string, status: number): AwsResponse => ({
  ...xml('Error', [['Code', code]]),
  status,
});

type Element = readonly [string, string | readonly Element[]];

const xml = (root: string, elements: readonly Element[]): AwsResponse => ({
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0" encoding="UTF-8"?>${written([root, elements])}`,
});

const written = ([name, content]: Element): string =>
  `<${name}>${typeof content === 'string' ? escaped(content) : content.map(written).join('')}</${name}>`;

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const encoded = (key: string, query: URLSearchParams) =>
  query.get('encoding-type') === 'url'
    ? encodeURIComponent(key).replaceAll('%20', '+').replaceAll('%2F', '/')
    : key;

const encoding = (query: URLSearchParams): Element[] =>
  query.get('encoding-type') === 'url' ? [['EncodingType', 'url']] : [];

const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
