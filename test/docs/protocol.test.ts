import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { productDir } from '../kit/test-server.ts';

const page = await readFile(join(productDir, 'docs/protocol.md'), 'utf8');
const files = [...page.matchAll(/`((?:server|formats|test)\/[^`]+)`/g)].map(([, file = '']) => file);

/** Behind a test file its titles stand in quotes: `test/x.test.ts` "one", "another". */
const titles = [...page.matchAll(/`(test\/[^`]+\.ts)`((?:(?: by `[^`]+`)?,? "[^"]+")+)/g)].flatMap(
  ([, file = '', quoted = '']) =>
    [...quoted.matchAll(/"([^"]+)"/g)].map(([, title = '']) => [file, title.replaceAll('\\|', '|')]),
);

describe('the page about the protocol', () => {
  it.each([...new Set(files)])('names an existing file: %s', (file) => {
    expect(existsSync(join(productDir, file))).toBe(true);
  });

  it.each(titles)('names an existing test: %s "%s"', (file = '', title = '') => {
    expect(readFileSync(join(productDir, file), 'utf8')).toContain(title);
  });

  it('has a row for each section with a requirement', () => {
    for (const section of [
      '2.4',
      '9.3',
      '9.4',
      '9.5',
      '9.6',
      '9.7',
      '9.8',
      '9.9',
      '10.1',
      '10.2',
      '10.3',
      '10.4',
      '10.5',
      '12.3',
      '12.4',
      '12.5',
      '13',
      '14',
      '18.2',
    ])
      expect(page).toContain(section);
    expect(titles.length).toBeGreaterThan(50);
  });
});
