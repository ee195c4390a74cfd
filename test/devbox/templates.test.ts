import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { hasProgram, run } from '../kit/programs.ts';
import { productDir } from '../kit/test-server.ts';

const templates = join(productDir, 'devbox', 'templates');
const read = (file: string): Promise<string> => readFile(join(templates, file), 'utf8');

/** What Docker and the OCI runtime specification both understand. */
const Profile = z.strictObject({
  defaultAction: z.literal('SCMP_ACT_ERRNO'),
  defaultErrnoRet: z.literal(1),
  architectures: z.tuple([z.literal('SCMP_ARCH_X86_64'), z.literal('SCMP_ARCH_AARCH64')]),
  syscalls: z.array(
    z.strictObject({
      names: z.array(z.string().regex(/^[a-z0-9_]+$/)).min(1),
      action: z.enum(['SCMP_ACT_ALLOW', 'SCMP_ACT_ERRNO']),
      errnoRet: z.number().optional(),
      args: z
        .array(
          z.strictObject({
            index: z.number(),
            value: z.number(),
            valueTwo: z.number().optional(),
            op: z.enum(['SCMP_CMP_EQ', 'SCMP_CMP_MASKED_EQ']),
          }),
        )
        .optional(),
    }),
  ),
});
const profile = Profile.parse(JSON.parse(await read('images/seccomp.json')));
const allowed = profile.syscalls
  .filter(({ action }) => action === 'SCMP_ACT_ALLOW')
  .flatMap(({ names }) => names);

/** With the profile of an engine that ships one: https://github.com/containers/common/blob/main/pkg/seccomp/seccomp.json */
const known = '/usr/share/containers/seccomp.json';

describe('images/seccomp.json', () => {
  it('refuses what it does not name, and names none of what leads out of a container', () => {
    const dangerous = [
      ...['ptrace', 'process_vm_readv', 'process_vm_writev', 'mount', 'umount2', 'pivot_root', 'chroot'],
      ...['setuid', 'setgid', 'setreuid', 'setresuid', 'setgroups', 'capset', 'unshare', 'setns'],
      ...['bpf', 'keyctl', 'add_key', 'request_key', 'perf_event_open', 'userfaultfd', 'io_uring_setup'],
      ...[
        'init_module',
        'finit_module',
        'kexec_load',
        'open_by_handle_at',
        'mknod',
        'mknodat',
        'personality',
      ],
    ];

    expect(allowed.filter((name) => dangerous.includes(name))).toEqual([]);
    expect(allowed).toContain('futex');
  });

  it('allows clone without new namespaces only, which clone3 could not be asked for', () => {
    const rules = profile.syscalls.filter(({ names }) => names.some((name) => name.startsWith('clone')));

    expect(rules).toEqual([
      {
        names: ['clone'],
        action: 'SCMP_ACT_ALLOW',
        // CLONE_NEW* of sched.h but CLONE_NEWTIME, which clone cannot make
        args: [{ index: 0, value: 0x7e02_0000, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
      },
      // ENOSYS: libraries take clone then
      { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 },
    ]);
  });

  it('allows sockets of Unix, IPv4, IPv6 and netlink only', () => {
    const families = profile.syscalls.filter(({ names }) => names.includes('socket'));

    expect(families.map(({ args }) => args?.map(({ index, value, op }) => [index, value, op]))).toEqual(
      [1, 2, 10, 16].map((family) => [[0, family, 'SCMP_CMP_EQ']]),
    );
  });

  it.skipIf(!existsSync(known))('has names that an engine knows (needs buildah)', async () => {
    const engine = z
      .object({ syscalls: z.array(z.object({ names: z.array(z.string()) })) })
      .parse(JSON.parse(await readFile(known, 'utf8')));
    const names = new Set(engine.syscalls.flatMap((rule) => rule.names));

    expect(allowed.filter((name) => !names.has(name))).toEqual([]);
  });
});

describe('the templates of images', () => {
  const dockerfiles = ['images/linux/Dockerfile', 'images/windows/Dockerfile'];
  it.skipIf(!hasProgram('hadolint')).each(dockerfiles)('pass hadolint: %s (needs hadolint)', async (file) => {
    const { code, stdout, stderr } = await run('hadolint', [join(templates, file)]);

    expect(stdout + stderr).toBe('');
    expect(code).toBe(0);
  });

  it.skipIf(!hasProgram('shellcheck'))('pass shellcheck (needs shellcheck)', async () => {
    const { code, stdout, stderr } = await run('shellcheck', [join(templates, 'images/check-size')]);

    expect(code, stdout + stderr).toBe(0);
  });

  it.skipIf(!hasProgram('check-jsonschema'))('pass the compose schema (needs check-jsonschema)', async () => {
    const args = ['--builtin-schema', 'vendor.compose-spec', join(templates, 'compose.yaml')];
    const { code, stdout, stderr } = await run('check-jsonschema', args);

    expect(code, stdout + stderr).toBe(0);
  });
});

const Hardened = z.object({
  read_only: z.literal(true),
  cap_drop: z.tuple([z.literal('ALL')]),
  security_opt: z.array(z.string()),
  image: z.string().optional(),
  volumes: z.array(z.string()).default([]),
});
const compose = z
  .object({ services: z.record(z.string(), Hardened) })
  .parse(parse(await read('compose.yaml'), { merge: true }));

describe('compose.yaml', () => {
  it('gives no service a writable root, a capability or new privileges, and the profile to all but delve', () => {
    const noNew = 'no-new-privileges:true';
    const options = Object.entries(compose.services).map(([name, { security_opt }]) => [name, security_opt]);

    expect(Object.fromEntries(options)).toEqual({
      app: [noNew, 'seccomp=images/seccomp.json'],
      probe: [noNew, 'seccomp=images/seccomp.json'],
      debug: [noNew],
      prometheus: [noNew],
      alertmanager: [noNew],
      'otel-collector': [noNew],
      grafana: [noNew],
    });
  });

  it('names images of others by digest', () => {
    const others = Object.values(compose.services).flatMap(({ image }) =>
      image === undefined || image.startsWith(`\${IMAGE:-service}:`) ? [] : [image],
    );

    expect(others).toHaveLength(4);
    for (const image of others) expect(image).toMatch(/^[a-z0-9/-]+:v?[0-9.]+@sha256:[0-9a-f]{64}$/);
  });

  it('mounts files that are in the repository, read-only', () => {
    const mounts = Object.values(compose.services)
      .flatMap(({ volumes }) => volumes)
      .filter((volume) => volume.startsWith('.'));

    expect(mounts.length).toBeGreaterThan(4);
    for (const mount of mounts) {
      const [from = '', , mode] = mount.split(':');
      expect(existsSync(join(templates, from)), mount).toBe(true);
      expect(mode, mount).toBe('ro');
    }
  });

  it('builds targets of the Dockerfile', async () => {
    const dockerfile = await read('images/linux/Dockerfile');
    const targets = [...(await read('compose.yaml')).matchAll(/^ +target: (\w+)$/gm)].map(([, name]) => name);

    expect(targets).toEqual(['runtime', 'debug']);
    for (const target of targets) expect(dockerfile).toContain(` AS ${target}\n`);
  });
});

/**
 * The fields of devcontainer.json that the template uses, each as strict as its specification has it
 * (https://containers.dev/implementors/json_reference): an editor ignores a field that it does not know.
 */
const Port = z.int().min(1).max(65_535);
const Command = z.union([z.string(), z.array(z.string())]);
const Devcontainer = z.strictObject({
  name: z.string(),
  image: z.string(),
  remoteEnv: z.record(z.string(), z.string().nullable()),
  postCreateCommand: Command,
  forwardPorts: z.array(z.union([Port, z.string().regex(/^[a-z0-9-]+:\d{1,5}$/)])),
  portsAttributes: z.record(
    z.string().regex(/^\d+(-\d+)?$/),
    z.strictObject({
      label: z.string().optional(),
      onAutoForward: z
        .enum(['notify', 'openBrowser', 'openBrowserOnce', 'openPreview', 'silent', 'ignore'])
        .optional(),
    }),
  ),
  customizations: z.strictObject({
    vscode: z.strictObject({
      extensions: z.array(z.string().regex(/^[\w-]+\.[\w-]+$/)),
      settings: z.record(z.string(), z.unknown()),
    }),
  }),
});

describe('.devcontainer/devcontainer.json', () => {
  it('has fields of the specification alone, and turns the workspace on', async () => {
    const settings = Devcontainer.parse(JSON.parse(await read('.devcontainer/devcontainer.json')));

    expect(settings.remoteEnv).toEqual({ GOWORK: `\${containerWorkspaceFolder}/go.work` });
    const work = await read('go.work');
    expect([...work.matchAll(/^\t(\S+)$/gm)].map(([, folder]) => folder)).toEqual(['./service', './smoke']);
  });
});
