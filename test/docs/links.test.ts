import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { productDir } from '../kit/test-server.ts';
import { anchorsOf } from './anchors.ts';

const top = ['README.md', 'ARCHITECTURE.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'];
const below = await readdir(join(productDir, 'docs'), { recursive: true });
const pages = [...top, ...below.filter((name) => name.endsWith('.md')).map((name) => join('docs', name))].map(
  (name) => join(productDir, name),
);

describe('every page', () => {
  it.each(pages.map((page) => relative(productDir, page)))(
    'has links that lead somewhere: %s',
    async (name) => {
      const page = join(productDir, name);
      const text = (await readFile(page, 'utf8')).replace(/```[\s\S]*?```/g, '');
      for (const [link, path = '', anchor] of text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)) {
        const target = path === '' ? page : resolve(dirname(page), path);
        if (anchor === undefined) {
          // a folder is a target, too
          await expect(
            readFile(target).catch(() => readdir(target)),
            link,
          ).resolves.toBeDefined();
        } else {
          expect(anchorsOf(await readFile(target, 'utf8')), link).toContain(anchor);
        }
      }
    },
  );

  it('is reached from the README', async () => {
    const seen = new Set<string>();
    const queue = [join(productDir, 'README.md')];
    for (let page = queue.pop(); page !== undefined; page = queue.pop()) {
      if (seen.has(page) || !page.endsWith('.md')) continue;
      seen.add(page);
      for (const [, path = ''] of (await readFile(page, 'utf8')).matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
        queue.push(resolve(dirname(page), path));
      }
    }
    // decisions are reached as a folder
    const decisions = join(productDir, 'docs', 'decisions');

    expect(pages.filter((page) => !seen.has(page) && dirname(page) !== decisions)).toEqual([]);
  });
});
