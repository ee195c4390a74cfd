import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Buildah } from '../../kit/buildah.ts';
import { mustRun } from '../../kit/programs.ts';

/**
 * What builds the image instead of golang:*-alpine, for machines that cannot pull it: this machine's Go, the certificates and, as in
 * Alpine, busybox. So the steps of the Dockerfile run in the shell and with the tools that they are written for.
 */
export async function makeBuildBase(name: string, workDir: string, buildah: Buildah): Promise<void> {
  const rootfs = join(workDir, 'rootfs');
  for (const folder of ['bin', 'etc/ssl/certs', 'go', 'root', 'tmp', 'var/tmp']) {
    await mkdir(join(rootfs, folder), { recursive: true });
  }
  const busybox = (await mustRun('sh', ['-c', 'command -v busybox'])).trim();
  await copyFile(busybox, join(rootfs, 'bin', 'busybox'));
  const certificates = 'etc/ssl/certs/ca-certificates.crt';
  await copyFile(`/${certificates}`, join(rootfs, certificates));
  await writeFile(join(rootfs, 'etc', 'passwd'), 'root:x:0:0:root:/root:/bin/sh\n');

  const container = await buildah.run(['from', 'scratch']);
  await buildah.run(['add', container, rootfs, '/']);
  const goRoot = (await mustRun('go', ['env', 'GOROOT'], { cwd: workDir })).trim();
  for (const part of ['VERSION', 'bin', 'go.env', 'pkg', 'src']) {
    const target = `/usr/local/go/${part}`;
    await buildah.run(['add', container, join(goRoot, part), target]);
  }
  const install = ['/bin/busybox', '--install', '-s', '/bin'];
  await buildah.run(['run', '--isolation', 'chroot', container, '--', ...install]);
  // as the official image has it; and the compiler collects its garbage only where it has much of it (go-command/compiler-memory.ts)
  const env = ['GOPATH=/go', 'PATH=/go/bin:/usr/local/go/bin:/usr/bin:/bin', 'GOGC=off', 'GOMEMLIMIT=1GiB'];
  const settings = env.flatMap((setting) => ['--env', setting]);
  await buildah.run(['config', ...settings, container]);
  await buildah.run(['commit', '--rm', container, name]);
}
