import { forgetOnStack } from '../engines/aws/forget';
import type { Receipt } from '../engines/engine';
import { lake as pipeline } from '../pipeline';
import { forgetCommand } from './forget';

jest.mock('../engines/aws/forget');
jest.mock('./stack-options', () => ({ stackOf: async () => ({ name: 'dev' }) }));

const RECEIPT: Receipt = {
  id: '20260101T000000000Z-0000',
  at: '2026-01-01T00:00:00Z',
  codeVersion: '1.0.0',
  subject: 'a'.repeat(64),
  dryRun: false,
  places: [],
  remade: [],
  seconds: 1,
  sharedDevices: 0,
  oldVersions: 0,
  unread: [],
  warnings: [],
};

/** `lake forget --stack dev` with a receipt. */
async function told(receipt: Receipt, json: boolean) {
  jest.mocked(forgetOnStack).mockResolvedValue(receipt);
  const written = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    jest.spyOn(process[stream], 'write').mockImplementation((text) => {
      written[stream] += String(text);
      return true;
    }),
  );
  try {
    const options = { subject: 'sarah@example.com', lake: 'x', stack: 'dev', json };
    return { status: await forgetCommand(pipeline, 'jobs', options), ...written };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

describe.each([true, false])('on a stack, with --json %s', (json) => {
  test('a person who is forgotten is status 0', async () => {
    expect(await told(RECEIPT, json)).toMatchObject({ status: 0, stderr: '' });
  });

  test('one of whom rows may have come back is status 1, after the receipt', async () => {
    const { status, stdout, stderr } = await told({ ...RECEIPT, again: 'meanwhile ran: x' }, json);
    expect({ status, stderr }).toEqual({ status: 1, stderr: 'lake: meanwhile ran: x\n' });
    expect(stdout).toContain(json ? '"again": "meanwhile ran: x"' : 'Runs leave them out from now on.');
  });

  test('files that could not be looked into are status 1', async () => {
    expect(await told({ ...RECEIPT, unread: ['s3://x/y'] }, json)).toMatchObject({
      status: 1,
      stderr: 'lake: s3://x/y could not be looked into\n',
    });
  });
});
