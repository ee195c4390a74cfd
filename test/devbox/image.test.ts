import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestBytes } from '../../formats/digest.ts';
import { type Buildah, openBuildah, shareCacheMount } from '../kit/buildah.ts';
import { cycloneDxSchema } from '../kit/cyclonedx.ts';
import { goBuildsDir } from '../kit/go-builds.ts';
import { hasProgram, isRoot, mustRun } from '../kit/programs.ts';
import { publishProbe } from '../kit/published-probe.ts';
import { type ContainerSettings, startRunc } from '../kit/runc.ts';
import { makeTempDir, productDir, startTestServer, type TestServer } from '../kit/test-server.ts';
import { useDisk } from '../kit/use-disk.ts';
import { makeBuildBase } from './image/build-base.ts';

useDisk();

const needed = ['buildah', 'runc', 'go', 'busybox'];
const canRun = process.platform === 'linux' && needed.every(hasProgram) && isRoot();
const minutes = 60_000;
const templates = join(productDir, 'devbox', 'templates');
const budget = 25_000_000;
const user = { uid: 65532, gid: 65532 };

describe.skipIf(!canRun)('the Linux image (needs buildah, runc, go and busybox; as root)', () => {
  let server: TestServer;
  let workDir: string;
  let buildah: Buildah;
  let rootfs: string;
  let profile: object;

  beforeAll(async () => {
    workDir = await makeTempDir();
    server = await startTestServer();
    await publishProbe(server, workDir, '1.2.0');
    profile = JSON.parse(await readFile(join(templates, 'images', 'seccomp.json'), 'utf8'));
    buildah = await openBuildah(workDir);
    await makeBuildBase('build-base', workDir, buildah);
    await writeRepository(join(workDir, 'repository'), server.url);
    await shareCacheMount(workDir, '/root/.cache/go-build', goBuildsDir);
    await writeFile(join(workDir, 'netrc'), 'machine example.test login me password secret-of-netrc\n');
    await buildah.build(
      [
        ...['-t', 'service', '--secret', `id=netrc,src=${join(workDir, 'netrc')}`, '--target', 'runtime'],
        ...['-f', 'images/linux/Dockerfile', '.'],
      ],
      // the caches that it keeps between builds
      { cwd: join(workDir, 'repository'), env: { TMPDIR: workDir } },
    );
    const container = await buildah.run(['from', '--pull-never', 'service']);
    rootfs = await buildah.run(['mount', container]);
  }, 20 * minutes);

  afterAll(async () => {
    await server?.stop();
    await buildah?.remove();
    await rm(workDir, { recursive: true, force: true, maxRetries: 5 });
  });

  it('has its two programs, the certificates and the SBOM, no other file and no secret', async () => {
    expect(await filesOf(rootfs)).toEqual([
      'etc/ssl/certs/ca-certificates.crt',
      'usr/bin/app',
      'usr/bin/go-win-probe',
      'usr/share/sbom/image.cdx.json',
    ]);
    let bytes = 0;
    for (const file of await filesOf(rootfs)) {
      bytes += (await stat(join(rootfs, file))).size;
      expect((await readFile(join(rootfs, file))).includes('secret-of-netrc'), file).toBe(false);
    }
    expect(bytes).toBeLessThan(budget);
    const built = await mustRun('go', ['version', '-m', join(rootfs, 'usr/bin/app')]);
    for (const setting of ['-buildmode=exe', '-trimpath=true', 'CGO_ENABLED=0']) {
      expect(built).toContain(`	build	${setting}
`);
    }
  });

  it('runs the service as a user without rights, and asks it for its health by the probe', async () => {
    const facts: unknown = JSON.parse(await buildah.run(['inspect', '--type', 'image', 'service']));

    expect(facts).toMatchObject({
      Docker: {
        config: {
          User: '65532:65532',
          Entrypoint: ['/usr/bin/app'],
          ExposedPorts: { '8080/tcp': {}, '9464/tcp': {} },
          Healthcheck: { Test: ['CMD', '/usr/bin/go-win-probe', '-check', 'http://127.0.0.1:8080/healthz'] },
        },
      },
    });
  });

  it('describes in its SBOM every other file, the modules of both programs and their Go', async () => {
    const sbom = JSON.parse(await readFile(join(rootfs, 'usr/share/sbom/image.cdx.json'), 'utf8'));
    const isValid = await cycloneDxSchema('1.6');

    expect(isValid(sbom), JSON.stringify(isValid.errors)).toBe(true);
    const goVersion = (await mustRun('go', ['env', 'GOVERSION'], { cwd: workDir })).trim().replace('go', '');
    const app = await readFile(join(rootfs, 'usr/bin/app'));
    expect(sbom.components).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          type: 'file',
          name: '/usr/bin/app',
          hashes: [{ alg: 'SHA-256', content: digestBytes(app).sha256 }],
        }),
        expect.objectContaining({ name: '/etc/ssl/certs/ca-certificates.crt' }),
        expect.objectContaining({ name: 'example.com/service' }),
        expect.objectContaining({
          name: 'stdlib',
          version: goVersion,
          purl: `pkg:golang/stdlib@${goVersion}`,
        }),
        expect.objectContaining({ name: 'github.com/prometheus/client_golang' }),
      ]),
    );
  });

  it('answers, and ends when it is asked to, under its seccomp profile and read-only', async () => {
    const service = await startRunc(settings('service', ['/usr/bin/app'], ['LISTEN=127.0.0.1:0']));
    try {
      const [, address] = await service.says(/"address":"(127\.0\.0\.1:\d+)"/);
      expect(await (await fetch(`http://${address}/healthz`)).json()).toEqual({ status: 'ok' });
      expect(await (await fetch(`http://${address}/`)).text()).toBe('It works.\n');
      const check = ['/usr/bin/go-win-probe', '-check', `http://${address}/healthz`];
      const checked = await (await startRunc(settings('check', check))).ended();
      expect([checked.code, checked.output]).toEqual([0, '']);
    } finally {
      const { code, output } = await service.stop();
      expect(code, output).toBe(0);
    }
  });

  it('gives the hash of its SBOM at /healthz of the probe', async () => {
    const command = ['/usr/bin/go-win-probe', '-listen', '127.0.0.1:0'];
    const probe = await startRunc(settings('probe', command));
    try {
      const [, url] = await probe.says(/answers at (http:\S+\/healthz) /);
      const sbom = await readFile(join(rootfs, 'usr/share/sbom/image.cdx.json'));
      expect(await (await fetch(url ?? '')).json()).toMatchObject({
        status: 'ok',
        cert_expiry_days: expect.any(Number),
        sbom_hash: `sha256:${digestBytes(sbom).sha256}`,
      });
      const metrics = await (await fetch(url?.replace('healthz', 'metrics') ?? '')).text();
      expect(metrics).toMatch(/^go_win_probe_faults 0$/m);
    } finally {
      const { code, output } = await probe.stop();
      expect(code, output).toBe(0);
    }
  });

  it('refuses ptrace, mount, setuid, unshare, bpf and keyctl, by its seccomp profile', async () => {
    const program = join(workDir, 'refused');
    const source = join(import.meta.dirname, 'image', 'refused.go');
    await mustRun('go', ['build', '-o', program, source], { cwd: workDir, env: { CGO_ENABLED: '0' } });
    const refusedWith = async (defaultErrnoRet: number) => {
      const at = settings(`refused-${defaultErrnoRet}`, ['/refused']);
      const container = await startRunc({
        ...at,
        seccomp: { ...profile, defaultErrnoRet },
        files: { '/refused': program },
      });
      const { code, output } = await container.ended();
      expect(code, output).toBe(0);
      return JSON.parse(output);
    };
    const all = (errno: number) =>
      Object.fromEntries(
        ['ptrace', 'mount', 'setuid', 'unshare', 'bpf', 'keyctl'].map((name) => [name, errno]),
      );

    expect(profile).toMatchObject({ defaultErrnoRet: 1 });
    expect(await refusedWith(1)).toEqual({
      errnos: all(1),
      uid: user.uid,
      capabilities: '0000000000000000',
      write: 'open /usr/bin/new: read-only file system',
    });
    // It is the profile that refuses, not the missing capabilities: its own number comes back.
    expect(await refusedWith(99)).toMatchObject({ errnos: all(99) });
  });

  function settings(name: string, args: readonly string[], env: readonly string[] = []): ContainerSettings {
    return { bundle: join(workDir, 'bundles', name), rootfs, args, env, user, seccomp: profile };
  }
});

/** The files that the build needs, with their values, as `devbox:create` writes them. */
async function writeRepository(dir: string, feed: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  await cp(templates, dir, { recursive: true });
  const nupkg = await fetch(`${feed}/nuget/package/go-win-probe/1.2.0`);
  const values = {
    build: 'localhost/build-base',
    feed,
    probeVersion: '1.2.0',
    probeNupkg: digestBytes(Buffer.from(await nupkg.arrayBuffer())).sha256,
  };
  const file = join(dir, 'images', 'linux', 'Dockerfile');
  // Neither BuildKit nor a newer buildah builds a stage that the target does not need; slow/debug-service.test.ts runs its steps.
  let text = (await readFile(file, 'utf8')).replace(/^# --- debug:.*?(?=^# --- )/ms, '');
  expect(text).not.toContain('AS debug');
  for (const [name, value] of Object.entries(values)) text = text.replaceAll(`{{${name}}}`, value);
  await writeFile(file, text);
}

async function filesOf(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => join(parentPath, name).slice(dir.length + 1))
    .sort();
}
