// Loaded before a program: writes the most memory that it ever held, in bytes, into the file of PEAK_FILE when it ends.
// Not process.resourceUsage(): Linux counts what the parent held before the child became another program.
import { readFileSync, writeFileSync } from 'node:fs';

process.once('exit', () => {
  const [, kilobytes = '0'] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  writeFileSync(process.env.PEAK_FILE, String(Number(kilobytes) * 1024));
});
