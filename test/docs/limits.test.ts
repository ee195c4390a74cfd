import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { rules } from '../../server/feed/rules.ts';
import { productDir } from '../kit/test-server.ts';

const page = await readFile(join(productDir, 'docs/operate/limits.md'), 'utf8');
const rows = page.split('\n').filter((line) => line.startsWith('| '));

describe('the page about limits', () => {
  it('has every rule of publication in its own words, in order', () => {
    const told = rows.flatMap((row) => {
      const [, name = '', sentence = ''] = /^\| `([a-z-]+)` \| ([^|]+) \|/.exec(row) ?? [];
      return name === '' ? [] : [[name, sentence]];
    });

    expect(told).toEqual(rules.map(({ name, sentence }) => [name, sentence]));
  });

  it.each(
    rows.flatMap((row) =>
      [...row.matchAll(/`([^`]+)` in (\S+\.ts) \|/g)].map(([, code, file]) => [code, file]),
    ),
  )('is right about %s in %s', async (code = '', file = '') => {
    expect(await readFile(join(productDir, file), 'utf8')).toContain(code);
  });
});
