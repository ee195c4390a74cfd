import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Buildah } from '../../kit/buildah.ts';
import { mustRun } from '../../kit/programs.ts';

/**
 * Makes the image that the Dockerfile builds on out of Debian packages and this machine's own Node, for machines that cannot
 * pull it: same name, same things in it that the Dockerfile uses (apt, node, npm, npx). The package managers' settings of this
 * machine come along, so that the build inside finds the same packages as the machine does.
 */
export async function makeBaseImage(name: string, workDir: string, buildah: Buildah): Promise<void> {
  const rootfs = join(workDir, 'rootfs.tar');
  await mustRun('mmdebstrap', [
    '--quiet',
    '--variant=minbase',
    '--include=ca-certificates',
    // as the official slim images are: without manuals, and with a dpkg that does not wait for the disk
    ...['force-unsafe-io', 'path-exclude=/usr/share/man/*', 'path-exclude=/usr/share/doc/*'].map(
      (option) => `--dpkgopt=${option}`,
    ),
    '--aptopt=Acquire::Languages "none"',
    'bookworm',
    rootfs,
  ]);
  const container = await buildah.run(['from', 'scratch']);
  await buildah.run(['add', container, rootfs, '/']);
  const prefix = dirname(dirname(process.execPath));
  const parts = [
    [process.execPath, '/usr/bin/node'],
    [join(prefix, 'lib', 'node_modules', 'npm'), '/usr/lib/node_modules/npm'],
    [join(prefix, 'include', 'node'), '/usr/include/node'],
    ['/etc/apt/sources.list.d', '/etc/apt/sources.list.d'],
    ['/etc/apt/sources.list', '/etc/apt/sources.list'],
    ['/etc/apt/apt.conf.d', '/etc/apt/apt.conf.d'],
    ['/etc/ssl/certs', '/etc/ssl/certs'],
    ['/usr/local/share/ca-certificates', '/usr/local/share/ca-certificates'],
    [join(process.env.HOME ?? '/root', '.npmrc'), '/root/.npmrc'],
  ] as const;
  for (const [from, to] of parts.filter(([from]) => existsSync(from))) {
    await buildah.run(['add', container, from, to]);
  }
  const npm = '/usr/lib/node_modules/npm/bin';
  const links = `ln -sf ${npm}/npm-cli.js /usr/bin/npm && ln -sf ${npm}/npx-cli.js /usr/bin/npx`;
  await buildah.run(['run', '--isolation', 'chroot', container, '--', 'sh', '-c', links]);
  const settings = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY']
    .filter((key) => process.env[key] !== undefined)
    .flatMap((key) => ['--env', `${key}=${process.env[key]}`]);
  // The optimiser would take most of the time of the build, for the speed of SQLite, which no test of the image measures.
  settings.push('--env', 'CFLAGS=-O0', '--env', 'CXXFLAGS=-O0');
  await buildah.run(['config', ...settings, container]);
  await buildah.run(['commit', '--rm', container, name]);
}
