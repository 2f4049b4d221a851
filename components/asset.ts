import { createHash } from 'node:crypto';
import { BucketObjectv2 } from '@pulumi/aws/s3/bucketObjectv2';
import { asset, interpolate, type Output, type Resource } from '@pulumi/pulumi';
import type { SecureBucket } from './bucket';
import type { Place, Site } from './site';

export interface Asset {
  readonly object: BucketObjectv2;
  /** The folder that holds every version of the file. */
  readonly place: Place;
  readonly uri: Output<string>;
  /** The same, known at once; whoever uses it does not wait for the object. */
  readonly file: string;
}

/** Bytes that stand in a file too, as Pulumi has assets of texts and of files only. */
export interface BinaryFile {
  readonly bytes: Uint8Array;
  /** From the program's folder: the engine keeps it, and may be another machine's the next time. */
  readonly path: string;
}

/**
 * A file under a name that says its content: another content is another object, so that a run that
 * waits in a queue still finds the file it was queued with. Files of earlier deployments stay for the same reason.
 */
export function assetOf(
  name: string,
  {
    site,
    bucket,
    folder,
    extension,
    content,
  }: {
    readonly site: Site;
    readonly bucket: SecureBucket;
    /** Ends in a slash. */
    readonly folder: string;
    /** Ends the name of the object; after a slash it is a file of that name in a folder of its own. */
    readonly extension: `.${string}` | `/${string}`;
    readonly content: string | BinaryFile;
  },
  parent: Resource,
): Asset {
  const [bytes, source] =
    typeof content === 'string'
      ? [content, new asset.StringAsset(content)]
      : [content.bytes, new asset.FileAsset(content.path)];
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  const object = new BucketObjectv2(
    name,
    {
      bucket: bucket.ready,
      key: `${folder}${hash}${extension}`,
      source,
      tags: site.tags,
    },
    { parent, retainOnDelete: true },
  );
  return {
    object,
    place: { bucket: bucket.name, prefix: folder },
    uri: interpolate`s3://${object.bucket}/${object.key}`,
    file: `s3://${bucket.name}/${folder}${hash}${extension}`,
  };
}
