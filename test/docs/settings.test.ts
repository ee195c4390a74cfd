import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configHelp } from '../../server/settings.ts';
import { productDir } from '../kit/test-server.ts';

const dir = join(productDir, 'docs/operate');

describe('the guide for operators', () => {
  it('explains every setting and no other', async () => {
    const guide = await readFile(join(dir, 'settings.md'), 'utf8');
    const rows = guide.split('\n').filter((line) => line.startsWith('| `'));
    const explained = rows.flatMap((row) =>
      [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name),
    );
    const known = configHelp()
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s/)[0]);

    expect(explained.toSorted()).toEqual(known.toSorted());
  });

  it('has an index of every page', async () => {
    const index = await readFile(join(dir, 'README.md'), 'utf8');
    const links = [...index.matchAll(/\]\((?!\.\.)([^)#]+)(?:#[^)]+)?\)/g)].map(([, path]) => path);
    const below = await readdir(dir, { recursive: true });
    const pages = below.filter((name) => name.endsWith('.md') && name !== 'README.md');

    expect([...new Set(links)].toSorted()).toEqual(pages.toSorted());
  });
});
