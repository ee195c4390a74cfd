import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseScoopManifest, printScoopManifest } from '../../../formats/scoop-manifest.ts';
import { createGitClient, type GitClient } from '../../kit/git.ts';
import { type BucketServer, serveBucket } from './serve-bucket.ts';

describe('a bucket with APPROVALS', () => {
  const approvals: { glob: string; owners: number }[] = [];
  let server: BucketServer;
  let git: GitClient;
  let clones = 0;
  beforeAll(async () => {
    server = await serveBucket({ approvals, held: ['buf 1.33.0', 'buf 1.33.0.1-beta.1'] });
    git = await createGitClient(server.dir, 'key-push');
    // Before the setting was there.
    const { code, stderr } = await release('beta', 'delve', '1.21.0');
    plain = server.manifest('delver', '1.0.0').replaceAll(/#[^"]*/g, '');
    expect(code, stderr).toBe(0);
    expect(await push('beta', 'delver: Update to version 1.0.0', 'delver', plain)).toMatchObject({ code: 0 });
    approvals.push({ glob: 'delv*', owners: 1 });
  });
  afterAll(() => server.stop());

  /** What Scoop takes for the name of a download is the end of its address then. */
  let plain: string;

  async function push(branch: 'main' | 'beta', subject: string, tool: string, text: string) {
    clones += 1;
    const work = await git.clone(`${server.url}/git/${branch}/go-win-tools.git`, `work-${clones}`);
    await git.commit(work, subject, { [`bucket/${tool}.json`]: text });
    return git.try(work, 'push', 'origin', branch);
  }
  const release = (branch: 'main' | 'beta', tool: string, version: string) =>
    push(branch, `${tool}: Update to version ${version}`, tool, server.manifest(tool, version));

  it('refuses stable versions of these tools on both branches', async () => {
    for (const branch of ['beta', 'main'] as const) {
      const { code, stderr } = await release(branch, 'delve', '1.22.0');

      expect(code).not.toBe(0);
      expect(stderr).toContain(
        `the stable version 1.22.0 of delve cannot be pushed to ${branch}: by APPROVALS, 1 other owner must approve it, in a rollout (release:rollout);`,
      );
    }
  });

  it.each([
    ['main', '1.33.0'],
    ['beta', '1.33.0'],
    ['beta', '1.33.0.1-beta.1'],
  ] as const)(
    'refuses on %s what is held for a rollout: buf %s, which needs no approval',
    async (branch, version) => {
      const { code, stderr } = await release(branch, 'buf', version);

      expect(code).not.toBe(0);
      expect(stderr).toContain(
        `${version} of buf is held for a rollout, so it cannot be pushed to ${branch}: the server does that when the rollout is completed (\`release:rollout complete buf\``,
      );
      expect((await server.bucket.readManifest(branch, 'buf'))?.version).toBeUndefined();
    },
  );

  it('refuses a chore that changes what a stable version does', async () => {
    const text = server.manifest('delve', '1.21.0');
    const changes = {
      text: text.replace('The tool', 'A tool'),
      script: printScoopManifest({ ...parseScoopManifest(text), pre_install: 'Start-Process calc' }),
      name: text.replaceAll('#/delve.exe', '#/delve.zip'),
      'another exe': text.replace('"bin": "delve.exe"', '"bin": "other.exe"'),
    };
    for (const [what, changed] of Object.entries(changes)) {
      expect(changed, what).not.toBe(text);
      const { code, stderr } = await push('beta', '(chore): Touch it', 'delve', changed);

      expect(code, what).not.toBe(0);
      expect(stderr, what).toContain('a (chore) may change its addresses only');
    }
  });

  it('refuses a chore that changes the name of a download without a fragment', async () => {
    const elsewhere = plain.replaceAll(`${server.url}/dl`, 'https://feed.example.org/dl');
    const renamed = elsewhere
      .replaceAll('.exe"', '.msi"')
      .replace('"bin": "delver.msi"', '"bin": "delver.exe"');
    expect(renamed).toContain('.msi"');

    const { code, stderr } = await push('beta', '(chore): Touch it', 'delver', renamed);

    expect(code).not.toBe(0);
    expect(stderr).toContain('a (chore) may change its addresses only');
  });

  it('accepts prereleases of these tools, stable versions of others, and new addresses', async () => {
    const moved = server.manifest('delve', '1.21.0', { base: 'https://feed.example.org/dl' });
    for (const { code, stderr } of [
      await push('beta', '(chore): Move to another address', 'delve', moved),
      await release('beta', 'delve', '1.22.0-beta.1'),
      await release('beta', 'buf', '1.32.0'),
    ]) {
      expect(code, stderr).toBe(0);
    }
  });
});
