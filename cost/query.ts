import PRICES from './prices.json';

/** What Athena bills of a query at least. */
export const MINIMUM_QUERY_MEGABYTES = 10;

const MEGABYTE = 1024 * 1024;
const MEGABYTES_PER_TERABYTE = 1024 * 1024;

/** USD that Athena asks for a query by the bytes that it scanned: whole megabytes, ten at least. */
export function queryPrice(scannedBytes: number): number {
  const megabytes = Math.max(Math.ceil(scannedBytes / MEGABYTE), MINIMUM_QUERY_MEGABYTES);
  const { usd, per } = PRICES.of.athenaTerabyte;
  return (megabytes / MEGABYTES_PER_TERABYTE) * (usd / per);
}
