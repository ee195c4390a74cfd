import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { delveRelease } from '../kit/generator.ts';
import { recordOn } from '../kit/record-on.ts';
import { type ReleaseFixture, startReleaseFixture } from '../kit/release-fixture.ts';
import { nowhere } from '../kit/upstream-fixture.ts';

/** A beta came over the network; whoever promotes it has none, and a bundle with the same files. */
describe('release:promote --from BUNDLE of a beta that came over the network', () => {
  let fixture: ReleaseFixture;

  beforeAll(async () => {
    fixture = await startReleaseFixture({ repositories: { 'go-delve/delve': [delveRelease('1.26.2')] } });
  });
  afterAll(() => fixture.stop());

  it('repeats the evidence from the bundle, and leaves the record unchanged', async () => {
    const { generator, server } = fixture;
    await generator.run('release:beta', ['delve@1.26.2']);
    const key = join(generator.dir, 'bundle.key');
    const made = await generator.run('bundle:create', ['delve@1.26.2', '--out', 'b.bundle', '--key', key]);
    expect(made.exitCode, made.stderr).toBe(0);
    const publicKey = /RW[A-Za-z0-9+/=]{54}/.exec(made.stdout + made.stderr)?.[0];

    const env = { GITHUB_API_URL: nowhere, BUNDLE_KEY: publicKey ?? (await readFile(key, 'utf8')) };
    const result = await generator.run('release:promote', ['delve', '--from', 'b.bundle'], { env });

    expect(result.exitCode, result.stderr).toBe(0);
    const [beta, stable] = [
      await recordOn(server, 'delve', '1.26.2-beta.1'),
      await recordOn(server, 'delve', '1.26.2'),
    ];
    expect(stable).toEqual({ ...beta, version: '1.26.2' });
  });
});
