import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { ClientSettings } from './stack';

/** A client of a stack's S3. */
export function s3Client(settings: ClientSettings, more: S3ClientConfig = {}): S3Client {
  const { AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3 } = process.env;
  return new S3Client({
    ...settings,
    // Whatever stands in for S3 has no name for each bucket.
    forcePathStyle: Boolean(AWS_ENDPOINT_URL_S3 ?? AWS_ENDPOINT_URL),
    ...more,
  });
}
