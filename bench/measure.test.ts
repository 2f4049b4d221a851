import { measureNode, timed } from './measure';

describe('measureNode', () => {
  it("takes the process's own time, output and peak memory", async () => {
    const hold = (mib: number) =>
      `Buffer.alloc(${mib * 2 ** 20}, 1); setTimeout(() => console.log('done'), 200);`;
    const small = await measureNode(['-e', hold(1)]);
    const large = await measureNode(['-e', hold(300)]);
    expect(large.stdout).toBe('done\n');
    expect(large.seconds).toBeGreaterThan(0.2);
    const more = (large.peakBytes - small.peakBytes) / 2 ** 20;
    expect(more).toBeGreaterThan(250);
    expect(more).toBeLessThan(350);
  });

  it('does not take over the memory of the process that measures', async () => {
    const held = Buffer.alloc(400 * 2 ** 20, 1);
    const { peakBytes } = await measureNode(['-e', '0']);
    expect(peakBytes).toBeGreaterThan(10 * 2 ** 20);
    expect(peakBytes).toBeLessThan(held.length / 2);
  });
});

describe('timed', () => {
  it('tells why a command failed', async () => {
    const failing = timed(process.execPath, ['-e', 'console.error("no such table"); process.exitCode = 3']);
    await expect(failing).rejects.toThrow(/ended with 3:\nno such table/);
  });
});
