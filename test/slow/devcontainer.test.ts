import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeBuildBase } from '../devbox/image/build-base.ts';
import { type Buildah, openBuildah } from '../kit/buildah.ts';
import { writeDevboxRepository } from '../kit/devbox-repository.ts';
import { goBuildsDir } from '../kit/go-builds.ts';
import { hasProgram, isRoot, mustRun } from '../kit/programs.ts';
import { makeTempDir } from '../kit/test-server.ts';
import { useDisk } from '../kit/use-disk.ts';

useDisk();

const needed = ['buildah', 'go', 'busybox'];
const canRun = process.platform === 'linux' && needed.every(hasProgram) && isRoot();
const minutes = 60_000;
const workspace = '/workspaces/service';

describe.skipIf(!canRun)('the development container (needs buildah, go and busybox; as root)', () => {
  let dir: string;
  let container: string;
  let buildah: Buildah;
  let settings: { readonly remoteEnv: Record<string, string>; readonly postCreateCommand: string };
  let created: string;

  /** As an editor runs it: in the image, with the workspace mounted and `remoteEnv` set. */
  async function inside(command: string): Promise<string> {
    const env = Object.entries(settings.remoteEnv).map(
      ([name, value]) => `${name}=${value.replace(`\${containerWorkspaceFolder}`, workspace)}`,
    );
    // Go's caches of this machine: what the tests built once is not built again.
    const modules = (await mustRun('go', ['env', 'GOMODCACHE'], { cwd: dir })).trim();
    const mounts = [
      `${dir}/repository:${workspace}`,
      `${goBuildsDir}:/root/.cache/go-build`,
      `${modules}:/go/pkg/mod`,
    ];
    return buildah.run([
      ...['run', '--isolation', 'chroot', '--workingdir', workspace],
      ...mounts.flatMap((mount) => ['--volume', mount]),
      ...['HOME=/root', 'CGO_ENABLED=0', ...env].flatMap((setting) => ['--env', setting]),
      ...[container, '--', 'sh', '-c', command],
    ]);
  }

  beforeAll(async () => {
    dir = await makeTempDir();
    buildah = await openBuildah(dir);
    await mkdir(goBuildsDir, { recursive: true });
    const version = (await mustRun('go', ['env', 'GOVERSION'], { cwd: dir })).trim().replace('go', '');
    await writeDevboxRepository(join(dir, 'repository'), { declaration: { go: { version } } });
    const text = await readFile(join(dir, 'repository', '.devcontainer', 'devcontainer.json'), 'utf8');
    settings = JSON.parse(text);
    await makeBuildBase('build-base', dir, buildah);
    container = await buildah.run(['from', '--pull-never', 'build-base']);
    created = await inside(`${settings.postCreateCommand} && ls /go/bin`);
  }, 20 * minutes);

  afterAll(async () => {
    await buildah?.remove();
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  });

  it('has gopls and govulncheck once it is created, in the versions of the declaration', async () => {
    expect(created.split('\n')).toEqual(expect.arrayContaining(['gopls', 'govulncheck']));
    const [, gopls] = /gopls@v([0-9.]+)/.exec(settings.postCreateCommand) ?? [];
    const [, govulncheck] = /govulncheck@v([0-9.]+)/.exec(settings.postCreateCommand) ?? [];
    expect(await inside('gopls version')).toContain(`golang.org/x/tools/gopls v${gopls}`);
    expect(await inside('go version -m /go/bin/govulncheck')).toContain(`	v${govulncheck}	`);
  });

  it('works on both modules at once', async () => {
    expect((await inside('go env GOWORK')).trim()).toBe(`${workspace}/go.work`);
    expect((await inside('go list -m')).trim().split('\n').sort()).toEqual([
      'example.com/service',
      'example.com/smoke',
    ]);
  });

  it('lets gopls find in one module what the other one uses', async () => {
    const main = await readFile(join(dir, 'repository', 'smoke', 'main.go'), 'utf8');
    const lines = main.split('\n');
    const line = lines.findIndex((text) => text.includes('health.Answer')) + 1;
    const column = (lines[line - 1] ?? '').indexOf('Answer') + 1;

    expect(await inside(`gopls definition smoke/main.go:${line}:${column}`)).toMatch(
      /^\/workspaces\/service\/service\/health\/health\.go:\d+:6-12: defined here as type Answer struct/,
    );
    const found = await inside(`gopls references service/health/health.go:${await lineOfAnswer()}:6`);
    for (const file of ['service/main.go', 'smoke/main.go']) expect(found).toContain(`${workspace}/${file}:`);
  });

  it('sees in the other module what is not saved in a release yet', async () => {
    const file = join(dir, 'repository', 'service', 'health', 'health.go');
    const before = await readFile(file, 'utf8');
    await writeFile(file, before.replace('Status string', 'State string'));
    try {
      expect(await inside('gopls check smoke/main.go')).toContain('answer.Status undefined');
    } finally {
      await writeFile(file, before);
    }
    expect(await inside('gopls check smoke/main.go')).toBe('');
  });

  async function lineOfAnswer(): Promise<number> {
    const text = await readFile(join(dir, 'repository', 'service', 'health', 'health.go'), 'utf8');
    return text.split('\n').findIndex((line) => line.startsWith('type Answer')) + 1;
  }
});
