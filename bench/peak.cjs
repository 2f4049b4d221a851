// Preloaded into a measured process: on exit it leaves its peak memory, in bytes, and the seconds that its threads
// took of processors in $BENCH_PEAK_DIR/<pid>.
// On Linux from VmHWM, because what getrusage gives includes the memory of the process that started this one.
const { readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { isMainThread } = require('node:worker_threads');

function peakBytes() {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024;
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kibibytes) * 1024;
}

if (isMainThread) {
  process.on('exit', () => {
    const { user, system } = process.cpuUsage();
    const measured = { peakBytes: peakBytes(), cpuSeconds: (user + system) / 1e6 };
    writeFileSync(join(process.env.BENCH_PEAK_DIR ?? '.', String(process.pid)), JSON.stringify(measured));
  });
}
