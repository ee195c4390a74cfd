import { rm } from 'node:fs/promises';
import { afterEach, expect, it } from 'vitest';
import type { Approvals } from '../../server/feed/approvals.ts';
import { freePort } from '../kit/free-port.ts';
import { delveRelease } from '../kit/generator.ts';
import { versionsOn } from '../kit/published.ts';
import { startReleaseFixture } from '../kit/release-fixture.ts';
import { makeTempDir, startTestServer, type TestServer } from '../kit/test-server.ts';

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** As docs/operate/taking-back.md says: the correction is a stable version that no rollout gives. */
it('with APPROVALS a withdrawal unlists and no more; run again without, it brings the correction', async () => {
  const dataDir = await makeTempDir();
  undo.push(() => rm(dataDir, { recursive: true, force: true, maxRetries: 5 }));
  const port = await freePort();
  let server: TestServer = await startTestServer({ dataDir, port });
  undo.push(() => server.stop());
  const restart = async (approvals: Approvals): Promise<void> => {
    await server.stop();
    server = await startTestServer({ dataDir, port, approvals });
  };
  const releases = ['1.26.3', '1.26.2'].map((version) => delveRelease(version));
  const { generator, ...fixture } = await startReleaseFixture({
    server,
    repositories: { 'go-delve/delve': releases },
  });
  undo.push(() => fixture.stop());
  for (const version of ['1.26.2', '1.26.3']) {
    await generator.run('release:beta', [`delve@${version}`]);
    expect(await generator.run('release:promote', [`delve@${version}`])).toMatchObject({ exitCode: 0 });
  }
  const withdraw = () => generator.run('release:withdraw', ['delve@1.26.3', '--reason', 'crashes']);

  await restart([{ glob: 'delve', owners: 1 }]);
  const refused = await withdraw();

  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toContain('delve 1.26.3.1 cannot be published directly: by APPROVALS');
  expect(refused.stderr).toContain('delve failed. Published: delve 1.26.3 is unlisted;');
  expect(await versionsOn(server, 'delve')).not.toContain('1.26.3.1');
  expect((await generator.run('release:status', ['delve'])).stdout).toContain(
    'half done: 1.26.3 was withdrawn, main still offers it',
  );

  await restart([]);
  const finished = await withdraw();

  expect(finished.stdout + finished.stderr).toContain('1.26.3.1 has the bytes of 1.26.2');
  expect(finished.exitCode).toBe(0);
  expect(await versionsOn(server, 'delve')).toContain('1.26.3.1');
});
