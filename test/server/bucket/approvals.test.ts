import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGitClient, type GitClient } from '../../kit/git.ts';
import { type BucketServer, serveBucket } from './serve-bucket.ts';

describe('a bucket with APPROVALS', () => {
  let server: BucketServer;
  let git: GitClient;
  let clones = 0;
  beforeAll(async () => {
    server = await serveBucket({ approvals: [{ glob: 'delv*', owners: 1 }] });
    git = await createGitClient(server.dir, 'key-push');
  });
  afterAll(() => server.stop());

  async function push(branch: 'main' | 'beta', tool: string, version: string) {
    clones += 1;
    const work = await git.clone(`${server.url}/git/${branch}/go-win-tools.git`, `work-${clones}`);
    const files = { [`bucket/${tool}.json`]: server.manifest(tool, version) };
    await git.commit(work, `${tool}: Update to version ${version}`, files);
    return git.try(work, 'push', 'origin', branch);
  }

  it('takes stable versions of these tools on no branch', async () => {
    for (const branch of ['beta', 'main'] as const) {
      const { code, stderr } = await push(branch, 'delve', '1.22.0');

      expect(code).not.toBe(0);
      expect(stderr).toContain(
        `the stable version 1.22.0 of delve cannot be pushed to ${branch}: by APPROVALS, 1 other owner must approve it, in a rollout (release:rollout).`,
      );
    }
  });

  it('takes their prereleases and stable versions of others', async () => {
    const beta = await push('beta', 'delve', '1.22.0-beta.1');
    const other = await push('beta', 'buf', '1.32.0');

    expect([beta.code, other.code], `${beta.stderr}${other.stderr}`).toEqual([0, 0]);
  });
});
