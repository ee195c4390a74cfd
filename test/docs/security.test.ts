import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { productDir } from '../kit/test-server.ts';

const page = await readFile(join(productDir, 'SECURITY.md'), 'utf8');

describe('SECURITY.md', () => {
  const links = [...page.matchAll(/\]\(([^)#]+)\)/g)].map(([, path = '']) => path);
  const places = [
    ...page.matchAll(/`((?:server|formats|system|go-command|vulnerabilities|manifest-gen|shims)\/[^`\s]+)`/g),
  ].map(([, path = '']) => path);

  it('says where each defence is implemented', () => {
    expect(links.length).toBeGreaterThan(5);
    expect(places.length).toBeGreaterThan(10);
  });

  it.each([...new Set([...links, ...places])])('names %s, which is there', async (path) => {
    await expect(access(join(productDir, path))).resolves.toBeUndefined();
  });

  it('fits on a page', () => {
    expect(page.split('\n').length).toBeLessThan(60);
  });
});
