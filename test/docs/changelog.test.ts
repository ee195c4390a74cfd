import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { productDir } from '../kit/test-server.ts';

const text = await readFile(join(productDir, 'CHANGELOG.md'), 'utf8');
const { version } = JSON.parse(await readFile(join(productDir, 'package.json'), 'utf8')) as {
  version: string;
};
const headings = (level: string): string[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith(`${level} `))
    .map((line) => line.slice(level.length + 1));

describe('CHANGELOG.md', () => {
  it('has the unreleased changes first, then dated versions, the current one among them', () => {
    const [first, ...released] = headings('##');

    expect(first).toBe('[Unreleased]');
    for (const heading of released) expect(heading).toMatch(/^\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d$/);
    expect(released.some((heading) => heading.startsWith(`[${version}]`))).toBe(true);
  });

  it("has Keep a Changelog's headings only", () => {
    for (const heading of headings('###')) {
      expect(['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security']).toContain(heading);
    }
  });

  it('has one line a change, of at most 120 characters', () => {
    const lines = text.split('\n');

    expect(lines.filter((line) => line.startsWith('- ')).length).toBeGreaterThan(50);
    expect(lines.filter((line) => line.startsWith('- ') && line.length > 120)).toEqual([]);
    expect(lines.filter((line) => /^\s+\S/.test(line))).toEqual([]);
  });
});
