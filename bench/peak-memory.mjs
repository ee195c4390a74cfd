// Loaded before a program: when it ends, writes the most memory that it ever used, in bytes, to the file named by PEAK_FILE. Not
// process.resourceUsage(): on Linux that includes what the parent used before it started this program.
import { readFileSync, writeFileSync } from 'node:fs';

process.once('exit', () => {
  const [, kilobytes = '0'] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  writeFileSync(process.env.PEAK_FILE, String(Number(kilobytes) * 1024));
});
