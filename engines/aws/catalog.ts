import { GlueClient, type Table as GlueTable, paginateGetTables } from '@aws-sdk/client-glue';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { placeOf } from '../../model/places';
import { LakeError } from '../engine';
import { ask } from './ask';
import { s3Client } from './s3-client';
import type { Stack } from './stack';
import { textOf } from './summaries';

/** The tables of a stack as its catalog has them, and the files that it names. */
export class Catalog {
  private readonly glue: GlueClient;
  private readonly s3: S3Client;

  constructor(private readonly stack: Stack) {
    this.glue = new GlueClient(stack.client);
    this.s3 = s3Client(stack.client);
  }

  async tables(): Promise<GlueTable[]> {
    const { database } = this.stack.outputs;
    return ask(this.stack, 'glue:GetTables', `database ${database}`, async () => {
      const tables: GlueTable[] = [];
      const pages = paginateGetTables({ client: this.glue }, { DatabaseName: database });
      for await (const { TableList = [] } of pages) tables.push(...TableList);
      return tables;
    });
  }

  /** The text of a file by its URI; empty where that names none. */
  async text(uri: string): Promise<string> {
    const { bucket: Bucket, prefix: Key } = placeOf(uri);
    if (Key === '') return '';
    const command = new GetObjectCommand({ Bucket, Key });
    return ask(this.stack, 's3:GetObject', `${Bucket}/${Key}`, () => textOf(this.s3, command));
  }
}

/** The bucket of a zone. Throws a LakeError where the stack has none. */
export function bucketOf(stack: Stack, zone: string): string {
  const bucket = stack.outputs.buckets[zone];
  if (bucket !== undefined) return bucket;
  throw new LakeError(
    `the stack ${stack.name} has no zone ${zone}; deploy it: pulumi up --stack ${stack.name}`,
  );
}
