// Each kind of error as the SDK's own clients make it, from what a server answers.
import { GetTablesCommand, GlueClient } from '@aws-sdk/client-glue';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import {
  type AwsResponse,
  AwsServer,
  awsEnvironment,
  type Fault,
  json,
  jsonError,
} from '../../tests/support/aws-server';
import { LakeError } from '../engine';
import { isLost, isThrottled, toldError } from './errors';

const ME = 'arn:aws:sts::123456789012:assumed-role/Dev/jane.doe@example.com';
const before = { ...process.env };
let server: AwsServer;
let answer: Fault;
beforeEach(async () => {
  server = new AwsServer(() => json({ TableList: [] }));
  server.fault = () => answer;
  Object.assign(process.env, awsEnvironment(await server.start()));
});
afterEach(async () => {
  await server.stop();
  process.env = { ...before };
});

const settings = { region: 'us-east-1', maxAttempts: 2 };
const GLUE = { action: 'glue:GetTables', resource: 'database dev', region: 'us-east-1' };
const S3 = { action: 's3:ListBucket', resource: 'dev-landing', region: 'us-east-1' };

const thrown = async (call: Promise<unknown>): Promise<unknown> => {
  try {
    await call;
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
};
const askGlue = (more: object = {}) =>
  thrown(new GlueClient({ ...settings, ...more }).send(new GetTablesCommand({ DatabaseName: 'dev' })));
const askS3 = (more: object = {}) =>
  thrown(new S3Client({ ...settings, ...more }).send(new ListObjectsV2Command({ Bucket: 'dev-landing' })));

const xmlError = (code: string, message: string, status: number, more = ''): AwsResponse => ({
  status,
  headers: { 'content-type': 'application/xml', 'x-amz-bucket-region': 'eu-west-1' },
  body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message>${more}</Error>`,
});

/** The message, of which no part names who asked. */
function told(error: unknown, asked: typeof GLUE & { profile?: string }): string {
  const said = toldError(error, asked);
  expect(said).toBeInstanceOf(LakeError);
  const { message } = said as Error;
  expect(message).not.toMatch(/jane|arn:aws:sts|AKIASTANDIN|stand-in|\n/);
  return message;
}

describe('of Glue, in JSON', () => {
  test.each<readonly [string, Fault, string]>([
    [
      'expired',
      jsonError('ExpiredTokenException', `The security token of ${ME} is expired`),
      'the AWS credentials have expired; log in again, such as by aws sso login',
    ],
    [
      'unknown credentials',
      jsonError('UnrecognizedClientException', 'The security token AKIASTANDIN is invalid.'),
      'AWS does not know these credentials, asked in us-east-1; check AWS_PROFILE or --profile',
    ],
    [
      'a wrong secret',
      jsonError('InvalidSignatureException', 'The signature stand-in does not match'),
      'AWS does not know these credentials, asked in us-east-1; check AWS_PROFILE or --profile',
    ],
    [
      'denied',
      jsonError(
        'AccessDeniedException',
        `User: ${ME} is not authorized to perform: glue:GetTables on resource: arn:aws:glue:us-east-1:123456789012:catalog because no identity-based policy allows it`,
      ),
      'access denied: glue:GetTables on arn:aws:glue:us-east-1:123456789012:catalog; your role lacks the right to do this',
    ],
    [
      'denied in other words',
      jsonError('AccessDeniedException', `${ME} may not`),
      'access denied: glue:GetTables on database dev; your role lacks the right to do this',
    ],
    [
      'throttled for ever',
      jsonError('ThrottlingException', 'Rate exceeded'),
      'AWS throttles: glue:GetTables on database dev was refused 2 times in a row; wait a minute and run this again',
    ],
    [
      'not there',
      jsonError('EntityNotFoundException', 'Database dev not found.'),
      'there is no database dev in us-east-1; was the stack deployed there? pulumi up',
    ],
    [
      "on AWS's side",
      jsonError('InternalServiceException', `for ${ME}`, 500),
      'glue:GetTables on database dev failed on the side of AWS after 2 attempts (InternalServiceException, 500); try again',
    ],
    [
      'anything else',
      jsonError('InvalidInputException', `of ${ME}`),
      'glue:GetTables on database dev failed: InvalidInputException (400)',
    ],
    [
      'a proxy that answers with a page',
      { status: 502, headers: { 'content-type': 'text/html' }, body: '<html>Bad gateway</html>' },
      expect.stringMatching(/^glue:GetTables on database dev failed on the side of AWS/) as unknown as string,
    ],
  ])('%s', async (_, fault, words) => {
    answer = fault;
    expect(told(await askGlue(), GLUE)).toEqual(words);
  });

  test('a profile is named, and how to log in with it', async () => {
    answer = jsonError('ExpiredTokenException', 'x');
    expect(told(await askGlue(), { ...GLUE, profile: 'work' })).toBe(
      'the AWS credentials (profile work) have expired; log in again, such as by aws sso login --profile work',
    );
  });
});

describe('of S3, in XML', () => {
  test.each<readonly [string, Fault, string]>([
    [
      'expired',
      xmlError('ExpiredToken', 'The provided token has expired.', 400),
      'the AWS credentials have expired; log in again, such as by aws sso login',
    ],
    [
      'unknown credentials',
      xmlError('InvalidAccessKeyId', 'AKIASTANDIN does not exist', 403),
      'AWS does not know these credentials, asked in us-east-1; check AWS_PROFILE or --profile',
    ],
    [
      'denied, with the action',
      xmlError(
        'AccessDenied',
        `User: ${ME} is not authorized to perform: s3:ListBucket on resource: &quot;arn:aws:s3:::dev-landing&quot; because`,
        403,
      ),
      'access denied: s3:ListBucket on arn:aws:s3:::dev-landing; your role lacks the right to do this',
    ],
    [
      'denied, as S3 says it of a bucket',
      xmlError('AccessDenied', 'Access Denied', 403),
      'access denied: s3:ListBucket on dev-landing; your role lacks the right to do this',
    ],
    [
      'slow down',
      xmlError('SlowDown', 'Please reduce your request rate.', 503),
      'AWS throttles: s3:ListBucket on dev-landing was refused 2 times in a row; wait a minute and run this again',
    ],
    [
      'no bucket',
      xmlError('NoSuchBucket', 'The specified bucket does not exist', 404),
      'there is no dev-landing in us-east-1; was the stack deployed there? pulumi up',
    ],
    [
      'another region',
      xmlError('PermanentRedirect', 'must be addressed', 301, '<Endpoint>x</Endpoint>'),
      'dev-landing is not in the region us-east-1 but in eu-west-1; give --region',
    ],
    [
      'another region, of the signature',
      xmlError('AuthorizationHeaderMalformed', "expecting 'eu-west-1'", 400, '<Region>eu-west-1</Region>'),
      'dev-landing is not in the region us-east-1 but in eu-west-1; give --region',
    ],
    [
      'a clock that is wrong',
      xmlError('RequestTimeTooSkewed', 'The difference is too large', 403),
      'the clock of this machine is wrong, so AWS refuses what it signs; set it',
    ],
  ])('%s', async (_, fault, words) => {
    answer = fault;
    expect(told(await askS3(), S3)).toBe(words);
  });
});

describe('before AWS is reached', () => {
  // Jest's sandbox hides the codes of Node's own errors from the SDK: tests/stack.test.ts has those that a server makes.
  test.each(['ECONNREFUSED', 'ENOTFOUND', 'ECONNRESET', 'EAI_AGAIN'])('%s', (code) => {
    const error = Object.assign(new Error(`connect ${code}`), { code, $metadata: { attempts: 2 } });
    const words = `glue:GetTables on database dev: AWS cannot be reached in us-east-1 (${code}); check the network and the region`;
    expect(told(error, GLUE)).toBe(words);
    expect(told(Object.assign(new Error('wrapped'), { cause: error }), GLUE)).toBe(words);
  });

  test('an answer that never comes', async () => {
    server.fault = () => undefined;
    await server.stop();
    server = new AwsServer(() => new Promise(() => undefined));
    process.env.AWS_ENDPOINT_URL = await server.start();
    const error = await askGlue({ requestHandler: { connectionTimeout: 500, socketTimeout: 200 } });
    expect(told(error, GLUE)).toMatch(/AWS cannot be reached in us-east-1 \(\w+\); check the network/);
    expect(server.requests).toHaveLength(2);
  });

  test('no credentials at all, or a profile that there is not', async () => {
    delete process.env.AWS_ACCESS_KEY_ID;
    delete process.env.AWS_SECRET_ACCESS_KEY;
    const words = 'there are no AWS credentials; set AWS_PROFILE or give --profile, or log in: aws sso login';
    expect(told(await askGlue(), GLUE)).toBe(words);
    expect(told(await askS3(), S3)).toBe(words);
    expect(told(await askGlue({ profile: 'nobody' }), { ...GLUE, profile: 'nobody' })).toBe(
      `${words.replace('credentials', 'credentials (profile nobody)')} --profile nobody`,
    );
    expect(isLost(await askGlue({ maxAttempts: 1 }))).toBe(false);
    expect(server.requests).toEqual([]);
  });
});

test('what is none of the SDK is thrown on as it is', () => {
  const error = new TypeError('x is no function');
  expect(toldError(error, GLUE)).toBe(error);
  const own = new LakeError('told already');
  expect(toldError(own, GLUE)).toBe(own);
  expect(toldError('no error', GLUE)).toBe('no error');
});

test.each<readonly [string, Fault, boolean, boolean]>([
  ['a 500', jsonError('InternalServiceException', 'x', 500), true, false],
  ['a reset', 'reset', true, false],
  ['a cut', 'cut', true, false],
  ['a throttle', jsonError('ThrottlingException', 'x'), false, true],
  ['a throttle by its status', jsonError('Other', 'x', 429), false, true],
  ['a throttle of 503', jsonError('SlowDown', 'x', 503), false, true],
  ['a refusal', jsonError('AccessDeniedException', 'x'), false, false],
  ['a busy workflow', jsonError('ConcurrentRunsExceededException', 'x'), false, false],
])('%s tells whether something may have been done', async (_, fault, lost, throttled) => {
  answer = fault;
  const error = await askGlue({ maxAttempts: 1 });
  expect([isLost(error), isThrottled(error)]).toEqual([lost, throttled]);
});
