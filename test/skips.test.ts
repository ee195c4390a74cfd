import { describe, expect, it } from 'vitest';
import { describeSkips, readAllowedSkips } from './skips.ts';

describe('the skipped tests', () => {
  it('are counted by the needs in their titles', () => {
    const names = [
      'a.test.ts > x (needs go) > runs (needs mono)',
      'a.test.ts > y (needs mono)',
      'b.test.ts > z',
    ];

    expect(describeSkips(names).join('\n')).toContain(': 2 (needs mono), 1 (b.test.ts).');
    expect(describeSkips([])).toEqual([]);
  });

  it('are allowed in CI by full names alone', () => {
    for (const name of readAllowedSkips()) expect(name).toMatch(/^test\/\S+\.test\.ts > \S/);
  });
});
