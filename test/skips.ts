import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The tests that may be skipped where all programs are installed: one full name a line, `#` begins a comment. */
export function readAllowedSkips(): ReadonlySet<string> {
  const text = readFileSync(join(import.meta.dirname, 'allowed-skips.txt'), 'utf8');
  return new Set(text.split('\n').filter((line) => line !== '' && !line.startsWith('#')));
}

/** How many tests were skipped for what, and how to get it. Titles say what a test needs: `(needs mono)`. */
export function describeSkips(names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const counts = new Map<string, number>();
  for (const name of names) counts.set(needOf(name), (counts.get(needOf(name)) ?? 0) + 1);
  const parts = [...counts].sort(([, a], [, b]) => b - a).map(([need, count]) => `${count} (${need})`);
  return [
    `\nSkipped, since something is missing here: ${parts.join(', ')}.`,
    'On Debian and Ubuntu, dev/test-programs.sh installs what they need.',
  ];
}

function needOf(name: string): string {
  const needs = [...name.matchAll(/\((needs? [^)]+)\)/g)].map(([, need = '']) => need);
  return needs.at(-1) ?? name.split(' > ')[0] ?? name;
}
