import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGitClient, type GitClient } from '../../kit/git.ts';
import { commands, packOf, rawPush } from '../../kit/raw-push.ts';
import { type BucketServer, serveBucket } from './serve-bucket.ts';

describe("the repository's own configuration", () => {
  let server: BucketServer;
  let git: GitClient;
  let address: string;

  beforeAll(async () => {
    server = await serveBucket();
    git = await createGitClient(server.dir, 'key-push');
    address = `${server.url}/git/beta/go-win-tools.git`;
    const settings = {
      'core.hooksPath': join(server.dir, 'no-hooks'),
      'receive.denyNonFastForwards': 'false',
    };
    for (const [name, value] of Object.entries(settings)) {
      // The later one wins, and these stand behind ours.
      execFileSync('git', ['config', name, value], { cwd: join(server.bucketDir, 'repo.git') });
    }
  });
  afterAll(() => server.stop());

  it('lets no push bypass the rules', async () => {
    const work = await git.clone(address, 'work');
    const cur = await git.run(work, 'rev-parse', 'beta');
    const evil = await git.commit(work, 'no release', { 'evil.ps1': 'evil\n' });

    const push = commands(`${cur} ${evil} refs/heads/beta`);
    const { text } = await rawPush(address, 'key-push', push, packOf(work, [evil], [cur]));

    expect(text).toContain('The bucket refuses this push');
    expect(await git.run(server.dir, 'ls-remote', address, 'refs/heads/beta')).toContain(cur);
  });
});
