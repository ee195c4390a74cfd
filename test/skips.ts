import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The tests that may be skipped where all programs are installed: one full name a line, `#` begins a comment. */
export function readAllowedSkips(): ReadonlySet<string> {
  const text = readFileSync(join(import.meta.dirname, 'allowed-skips.txt'), 'utf8');
  return new Set(text.split('\n').filter((line) => line !== '' && !line.startsWith('#')));
}

/** Titles say what a test needs, `(needs mono)`: for each such need the number of tests that were skipped, and how to get it all. */
export function describeSkips(names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const counts = new Map<string, number>();
  for (const name of names) {
    const need = needOf(name);
    counts.set(need, (counts.get(need) ?? 0) + 1);
  }
  const lines = [...counts].sort(([, a], [, b]) => b - a).map(([need, count]) => `${count} (${need})`);
  return [
    `\n${names.length} tests were skipped: ${lines.join(', ')}.`,
    'On Debian and Ubuntu dev/test-programs.sh installs what they need. `--reporter verbose` shows their names.',
  ];
}

function needOf(name: string): string {
  const needs = [...name.matchAll(/\((needs? [^)]+)\)/g)].map(([, need = '']) => need);
  return needs.at(-1) ?? `another machine: ${name.split(' > ')[0]}`;
}
