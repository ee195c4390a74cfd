import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { productDir } from '../kit/test-server.ts';

const page = await readFile(join(productDir, 'ARCHITECTURE.md'), 'utf8');
const folders =
  '(?:bench|buckets|conformance|dev|docs|formats|manifest-gen|nuspecs|outbound|server|shims|test)/';
const paths = [...page.matchAll(new RegExp(`\`(${folders}[\\w./-]*|[\\w.-]+\\.(?:ts|json|mjs))\``, 'g'))].map(
  ([, path = '']) => path,
);

describe('ARCHITECTURE.md', () => {
  it('names the places that a newcomer looks for', () => {
    expect(paths.length).toBeGreaterThan(50);
  });

  it.each([...new Set(paths)])('names %s, which exists', async (path) => {
    await expect(access(join(productDir, path))).resolves.toBeUndefined();
  });
});
