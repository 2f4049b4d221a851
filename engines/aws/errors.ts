import { LakeError } from '../engine';

/** What was asked of AWS, for whoever reads that it failed. */
export interface Asked {
  /** The action in IAM's words, such as `glue:StartWorkflowRun`. */
  readonly action: string;
  /** What it was asked of, such as the name of a bucket. */
  readonly resource?: string;
  readonly region: string;
  readonly profile?: string | undefined;
  /** How often, where it was not the SDK that asked again. */
  readonly attempts?: number;
}

/** What an error of the SDK has that matters here. */
interface SdkError {
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
  /** S3's way to say where a bucket is. */
  readonly Region?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
  readonly cause?: unknown;
}

const EXPIRED = /^(?:ExpiredToken(?:Exception)?|RequestExpired|TokenRefreshRequired)$/;
const UNKNOWN_CREDENTIALS =
  /^(?:UnrecognizedClientException|InvalidClientTokenId|InvalidAccessKeyId|SignatureDoesNotMatch|InvalidSignatureException|IncompleteSignature|MissingAuthenticationToken(?:Exception)?|InvalidToken)$/;
const DENIED = /^(?:AccessDenied(?:Exception)?|AllAccessDisabled|UnauthorizedOperation|Forbidden|403)$/;
const THROTTLED =
  /^(?:Throttling(?:Exception)?|ThrottledException|TooManyRequests(?:Exception)?|SlowDown|RequestLimitExceeded|RequestThrottled(?:Exception)?|ProvisionedThroughputExceededException)$/;
const MISSING = /^(?:EntityNotFoundException|ResourceNotFoundException|NoSuchBucket|NotFound)$/;
const ELSEWHERE =
  /^(?:PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException|BucketRegionError|301)$/;
const NO_CREDENTIALS = /^(?:CredentialsProviderError|ProviderError|TokenProviderError)$/;
const UNREACHED =
  /^(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|EPIPE|TimeoutError|NetworkingError)$/;

/**
 * An error of the SDK as a person is told it: what was wrong and what to do, in one line. It quotes no message of AWS,
 * which names whoever asked, but for the action and the resource that were refused. What is none of the SDK's is
 * thrown on as it is.
 */
export function toldError(error: unknown, asked: Asked): unknown {
  const { action, region, profile } = asked;
  const of = asked.resource === undefined ? '' : ` on ${asked.resource}`;
  const what = `${action}${of}`;
  const flags = profile === undefined ? '' : ` (profile ${profile})`;
  const login = `aws sso login${profile === undefined ? '' : ` --profile ${profile}`}`;
  const { name = '', message = '', $metadata, $response, Region } = error as SdkError;
  const code = codeOf(error as SdkError);
  const is = (pattern: RegExp) => pattern.test(name) || pattern.test(code);
  const told = (text: string) => new LakeError(text, { cause: error });

  // A profile whose session ended is told as one that gives no credentials.
  if (is(EXPIRED) || (/Credentials|SSO|Token/.test(name) && /expired|refresh/i.test(message))) {
    return told(`the AWS credentials${flags} have expired; log in again, such as by ${login}`);
  }
  if (NO_CREDENTIALS.test(name)) {
    return told(
      `there are no AWS credentials${flags}; set AWS_PROFILE or give --profile, or log in: ${login}`,
    );
  }
  if (is(UNKNOWN_CREDENTIALS)) {
    return told(
      `AWS does not know these credentials${flags}, asked in ${region}; check AWS_PROFILE or --profile`,
    );
  }
  if (is(DENIED))
    return told(`access denied: ${refused(message) ?? what}${flags}; your role lacks the right to do this`);
  if (name === 'RequestTimeTooSkewed')
    return told('the clock of this machine is wrong, so AWS refuses what it signs; set it');
  if (is(THROTTLED)) {
    return told(
      `AWS throttles: ${what} was refused ${asked.attempts ?? $metadata?.attempts ?? 1} times in a row; wait a minute and run this again`,
    );
  }
  if (is(ELSEWHERE) || $metadata?.httpStatusCode === 301) {
    const there = Region ?? $response?.headers?.['x-amz-bucket-region'];
    return told(
      `${asked.resource ?? 'it'} is not in the region ${region}${there ? ` but in ${there}` : ''}; give --region`,
    );
  }
  if (is(MISSING))
    return told(
      `there is no ${asked.resource ?? action} in ${region}; was the stack deployed there? pulumi up`,
    );
  if (is(UNREACHED)) {
    return told(
      `${what}: AWS cannot be reached in ${region} (${code || name}); check the network and the region`,
    );
  }
  if ($metadata === undefined) return error;
  const status = $metadata.httpStatusCode;
  const tries = ($metadata.attempts ?? 1) > 1 ? ` after ${$metadata.attempts} attempts` : '';
  if (status !== undefined && status >= 500)
    return told(`${what} failed on the side of AWS${tries} (${name}, ${status}); try again`);
  return told(`${what} failed: ${name}${status === undefined ? '' : ` (${status})`}`);
}

/** Whether AWS refused because it was asked too much: nothing was done. */
export const isThrottled = (error: unknown) =>
  THROTTLED.test((error as SdkError).name ?? '') || (error as SdkError).$metadata?.httpStatusCode === 429;

/** Whether what was asked may have been done all the same: the answer was lost, or AWS failed on its side. */
export function isLost(error: unknown): boolean {
  const { name = '', $metadata } = error as SdkError;
  if (NO_CREDENTIALS.test(name) || isThrottled(error)) return false;
  const status = $metadata?.httpStatusCode ?? 0;
  return status < 400 || status >= 500;
}

/** The action and the resource that AWS says were refused; the rest of its sentence names a person. */
function refused(message: string): string | undefined {
  const found = /not authorized to perform: ([\w-]+:\w+)(?: on (?:resource: )?"?([^\s"]+))?/.exec(message);
  if (!found) return undefined;
  return found[2] === undefined ? found[1] : `${found[1]} on ${found[2]}`;
}

/** Of the system, however deep the SDK wrapped it. */
function codeOf(error: SdkError): string {
  if (typeof error.code === 'string') return error.code;
  return error.cause === undefined || error.cause === null ? '' : codeOf(error.cause as SdkError);
}
