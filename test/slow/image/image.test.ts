import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Buildah, openBuildah } from '../../kit/buildah.ts';
import { hasProgram, isRoot, mustRun } from '../../kit/programs.ts';
import { useDisk } from '../../kit/use-disk.ts';
import { makeBaseImage } from './base-image.ts';
import { startContainer } from './container.ts';

useDisk();

const canBuild =
  process.platform === 'linux' && hasProgram('buildah') && hasProgram('mmdebstrap') && isRoot();
const minutes = 60_000;

describe.skipIf(!canBuild)('the image (needs buildah and mmdebstrap, as root)', () => {
  const productDir = join(import.meta.dirname, '..', '..', '..');
  let workDir: string;
  let buildah: Buildah;

  beforeAll(async () => {
    workDir = await mkdtemp(join(tmpdir(), 'go-win-tools-image-'));
    buildah = await openBuildah(workDir);
    await makeBaseImage('docker.io/library/node:24-bookworm-slim', workDir, buildah);
    await buildah.build(['-t', 'go-win-tools', '.'], { cwd: productDir });
  }, 20 * minutes);

  afterAll(async () => {
    await buildah?.remove();
    await rm(workDir, { recursive: true, force: true });
  });

  /** Of the bill of materials that the image has. */
  async function sbomHash(): Promise<string> {
    const container = await buildah.run(['from', '--pull-never', 'go-win-tools']);
    const command = [
      'sh',
      '-c',
      'cd /app/dist && grep -q CycloneDX sbom.cdx.json && sha256sum sbom.cdx.json',
    ];
    const said = await buildah.run(['run', '--isolation', 'chroot', container, '--', ...command]);
    return said.split(' ', 1)[0] ?? '';
  }

  it('has labels and a health check, and its own user', async () => {
    const facts: unknown = JSON.parse(await buildah.run(['inspect', '--type', 'image', 'go-win-tools']));

    expect(facts).toMatchObject({
      Docker: {
        config: {
          User: '10001:10001',
          Labels: {
            'org.opencontainers.image.title': 'go-win-tools',
            'org.opencontainers.image.licenses': 'MIT',
          },
          Healthcheck: { Test: expect.arrayContaining(['CMD', 'node']) },
          ExposedPorts: { '8080/tcp': {} },
        },
      },
    });
  });

  it('has git and every verb, but no compiler and no package manager of the build', async () => {
    const container = await buildah.run(['from', '--pull-never', 'go-win-tools']);
    const inside = (command: string): Promise<string> =>
      buildah.run(['run', '--isolation', 'chroot', container, '--', 'sh', '-c', command]);

    expect(await inside('command -v git')).toContain('git');
    expect(await inside('command -v g++ make pnpm; ls /app/test 2>/dev/null; true')).toBe('');
    expect(await inside('ls /app/node_modules')).not.toContain('vitest');
    expect(await inside('cd /app && node dist/main.js feed:conformance --help')).toContain('<feed-url>');
  });

  it(
    'serves the feed as its own user, not as root',
    async () => {
      const container = await startContainer(buildah, 'go-win-tools');
      try {
        expect((await container.ask('/readyz')).status).toBe(200);
        const feed = await container.ask("/nuget/Search()?searchTerm=''&includePrerelease=true");
        expect(await feed.text()).toContain('<feed');
        expect(await mustRun('git', ['ls-remote', `${container.url}/git/main/go-win-tools.git`])).toContain(
          'refs/heads/main',
        );
        expect(await container.userId()).toBe(10001);
        const { sbom_hash: hash } = (await (await container.ask('/healthz')).json()) as { sbom_hash: string };
        expect(hash).toBe(`sha256:${await sbomHash()}`);
      } finally {
        await container.stop();
      }
    },
    5 * minutes,
  );
});
