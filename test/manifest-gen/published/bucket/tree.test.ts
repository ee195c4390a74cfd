import { rm } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createGit } from '../../../../manifest-gen/published/bucket/git.ts';
import { writeCommits, writeRoot } from '../../../../manifest-gen/published/bucket/tree.ts';
import { makeTempDir } from '../../../kit/test-server.ts';

describe('commits of a bucket', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await makeTempDir();
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('have refs of their own, so that both branches are written side by side, as by bucket:rebase', async () => {
    const git = createGit({ dir, env: process.env, signal: new AbortController().signal });
    await git.run(['init', '--bare', '--quiet', '.']);
    const when = new Date('2024-03-01T12:00:00Z');
    const parent = await writeRoot(git, when);
    const numbers = Array.from({ length: 8 }, (_, index) => index);

    const written = await Promise.all(
      numbers.map((number) => {
        const texts = new Map([[`tool-${number}`, '{}\n']]);
        return writeCommits(git, [{ parent, texts, message: `Change ${number}` }], when);
      }),
    );

    // the race for one ref is seldom lost, so that the refs are compared, too
    const list = await git.run(['for-each-ref', '--format=%(subject)', 'refs/written/']);
    expect(list.split('\n').sort()).toEqual([
      '(chore): Begin the bucket',
      ...numbers.map((number) => `Change ${number}`),
    ]);
    expect(written.flat()).toHaveLength(8);
  });
});
