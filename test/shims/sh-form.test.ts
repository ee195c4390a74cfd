import { spawn } from 'node:child_process';
import { chmod, copyFile, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasProgram, run } from '../kit/programs.ts';
import { makeTempDir } from '../kit/test-server.ts';
import { expectEnd } from './expect-end.ts';
import { buildFixture, environmentOf, heard, type Outcome, plantTraps } from './fixture.ts';
import { choco, type Vector, vectors } from './vectors.ts';

const plain: Vector = {
  name: 'plain',
  files: [...vectors.find(({ name }) => name === 'only Chocolatey')!.files],
  ends: choco,
};
const words = [
  'a b',
  '',
  'c  d',
  '"quoted" \'single\'',
  '$HOME `id` $(id)',
  '\\back\\slash\\',
  '100% ^ & | < >',
  '*',
  '--',
  '-n',
  'J\u00fcrgen \u65e5\u672c\u8a9e \u{1F600}',
  'tab\tend ',
];

/** The form of Git Bash, run by dash with stand-ins for the tool and for cygpath. */
describe.skipIf(!hasProgram('dash'))('the sh form of a shim (needs dash)', () => {
  let dir: string;
  let checkout: string;
  let tool: string;

  const at = (fixture: number | string) => (path: string) =>
    join(dir, 'v', String(fixture), path).replace(/\/$/, '');
  const pathOf = (fixture: number | string, folders: readonly string[] = []): string =>
    [
      ...['shims', ...folders].map((folder) =>
        folder === '' ? '' : at(fixture)(folder) + (folder.endsWith('/') ? '/' : ''),
      ),
      join(dir, 'msys'),
      '/usr/bin',
      '/bin',
    ].join(':');

  const envOf = (fixture: number | string, vector: Vector): Record<string, string> => ({
    SYSTEMROOT: join(dir, 'windows'),
    ...environmentOf(at(fixture), vector, pathOf(fixture, vector.path)),
  });

  function call(
    fixture: number | string,
    vector: Vector,
    args: readonly string[],
    more: Record<string, string> = {},
    input?: Buffer,
  ): Promise<Outcome> {
    const env = { ...envOf(fixture, vector), ...more };
    // dash drops variables like ProgramFiles(x86); Git Bash is bash and keeps them
    const shell = vector.name.endsWith('(bash)') ? 'bash' : 'dash';
    return runBytes(shell, [at(fixture)('shims/dlv'), ...args], { cwd: checkout, env }, input);
  }

  beforeAll(async () => {
    dir = await makeTempDir();
    tool = join(dir, 'probe.sh');
    await copyFile(join(import.meta.dirname, 'programs', 'probe.sh'), tool);
    await chmod(tool, 0o755);
    // Git Bash turns C:\\Users into /c/Users: here the slashes are all there is to turn
    await mkdir(join(dir, 'msys'));
    await writeFile(join(dir, 'msys', 'cygpath'), `#!/bin/sh\nprintf %s "$3" | tr '\\\\' /\n`, {
      mode: 0o755,
    });
    await writeFile(join(dir, 'msys', 'uname'), '#!/bin/sh\necho MINGW64_NT-10.0\n', { mode: 0o755 });
    const powershell = join(dir, 'windows', 'System32', 'WindowsPowerShell', 'v1.0');
    await mkdir(powershell, { recursive: true });
    await copyFile(
      join(import.meta.dirname, 'programs', 'powershell.sh'),
      join(powershell, 'powershell.exe'),
    );
    await chmod(join(powershell, 'powershell.exe'), 0o755);
    checkout = join(dir, 'checkout');
    await mkdir(checkout);
    await plantTraps(checkout, tool);
    await buildFixture({ dir: join(dir, 'v', 'plain'), at: at('plain'), program: tool }, plain);
  });

  afterAll(async () => {
    await rm(dir, { recursive: true, force: true });
  });

  it.each([...vectors.entries()].map(([fixture, vector]) => ({ fixture, vector, name: vector.name })))(
    '$name',
    async ({ fixture, vector }) => {
      await buildFixture({ dir: join(dir, 'v', String(fixture)), at: at(fixture), program: tool }, vector);

      const result = await call(fixture, vector, ['version', 'a b']);

      expectEnd(result, vector, { at: at(fixture), pathOf: (folders) => pathOf(fixture, folders) });
    },
  );

  it('asks about the shared folder under another name, too', async () => {
    const vector = vectors.find(({ name }) => name.startsWith('a SCOOP that is the folder all share'))!;
    const linked: Vector = {
      ...vector,
      env: () => ({}),
      open: ['data/scoop', 'profile/scoop'],
      files: [...vector.files, { 'profile/scoop': { linkTo: '../data/scoop' } }],
    };
    await buildFixture({ dir: join(dir, 'v', 'linked'), at: at('linked'), program: tool }, linked);

    const result = await call('linked', linked, ['version', 'a b']);

    expectEnd(result, linked, { at: at('linked'), pathOf: (folders) => pathOf('linked', folders) });
  });

  it('gives the child its environment, and only GO_WIN_TOOLS* besides', async () => {
    // what the script itself works with under these names
    const own = {
      tool: 'mine',
      best: 'mine',
      home: 'mine',
      PATH_X: 'mine',
      taken: 'mine',
      exe: 'mine',
      at: 'mine',
    };
    const through = heard(await call('plain', plain, [], own)).env;
    const without = heard(
      await runBytes('dash', [tool], {
        cwd: checkout,
        env: { ...envOf('plain', plain), ...own },
      }),
    ).env;

    const { PATH: _path, ...others } = without;
    expect(through).toMatchObject(others);
    expect(
      Object.keys(through).filter((name) => !(name in without) && !name.startsWith('GO_WIN_TOOLS')),
    ).toEqual([]);
  });

  it('passes every argument as it is', async () => {
    const result = await call('plain', plain, [...words]);

    expect(heard(result).args).toEqual(words);
  });

  it.each([0, 1, 3, 255])('ends with the exit code %i', async (code) => {
    expect((await call('plain', plain, [], { PROBE_EXIT: String(code) })).code).toBe(code);
  });

  it('passes every byte of stdin and stdout', async () => {
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 7) % 256));

    expect((await call('plain', plain, [], { PROBE_CAT: '1' }, bytes)).stdout.equals(bytes)).toBe(true);
  });

  it('becomes the tool: nothing stands between it and who sends signals', async () => {
    const how = ['-c', 'echo pid=$$; exec "$0"', at('plain')('shims/dlv')];
    const env = envOf('plain', plain);

    const { stdout } = await runBytes('dash', how, { cwd: checkout, env });

    const [caller, tool] = [...stdout.toString().matchAll(/^pid=(\d+)$/gm)].map(([, pid]) => pid);
    expect(tool).toBe(caller);
  });

  describe.each(['WSL_DISTRO_NAME', 'WSL_INTEROP'])('under WSL, by %s', (variable) => {
    const wsl = { [variable]: 'Debian' };

    it('is the native tool, without our folder in its PATH', async () => {
      const native = at('plain')('native');
      await mkdir(native, { recursive: true });
      await rm(join(native, 'dlv'), { force: true });
      await copyFile(tool, join(native, 'dlv'));
      const vector = { ...plain, path: ['shims', 'native'] };

      const result = heard(await call('plain', vector, ['x'], wsl));

      expect([result.exe, result.args]).toEqual([join(native, 'dlv'), ['x']]);
      expect(result.env.PATH?.split(':')).not.toContain(at('plain')('shims'));
      const explained = await call('plain', vector, [], { ...wsl, GO_WIN_TOOLS_EXPLAIN: '1' });
      expect(explained).toMatchObject({ code: 0, stderr: expect.stringContaining(join(native, 'dlv')) });
    });

    it('is 127 without a native tool: never the Windows program', async () => {
      const result = await call('plain', plain, [], wsl);

      expect(result).toMatchObject({
        code: 127,
        stderr: expect.stringContaining('no dlv is installed in WSL'),
      });
    });
  });

  it('knows its folder by any name, and does not call itself through a link', async () => {
    await symlink(at('plain')('shims'), at('plain')('linked'));
    const vector = { ...plain, path: ['linked'], env: () => ({ GO_WIN_TOOLS_BYPASS: '1' }) };

    expect((await call('plain', vector, [])).code).toBe(127);
  });

  it.skipIf(!hasProgram('shellcheck'))('passes shellcheck (needs shellcheck)', async () => {
    const shim = at('plain')('shims/dlv');
    // -ef (SC3013) is in every sh that runs this: dash, bash, busybox; what SC2154 misses is set by eval
    const options = ['-s', 'sh', '-S', 'warning', '-e', 'SC3013,SC2154'];
    const { code, stdout } = await run('shellcheck', [...options, shim]);

    expect(code, stdout).toBe(0);
  });

  it("works in any sh, with the platform's line ends, and calls no cmd", async () => {
    const text = await readFile(at('plain')('shims/dlv'), 'utf8');

    expect(text.startsWith('#!/bin/sh\n')).toBe(true);
    expect(text.includes('\r')).toBe(false);
    expect(text).not.toMatch(/\bcmd(\.exe)?\b/i);
  });
});

function runBytes(
  program: string,
  args: readonly string[],
  options: { cwd: string; env: Record<string, string> },
  input: Buffer = Buffer.alloc(0),
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, options);
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (bytes: Buffer) => out.push(bytes));
    child.stderr.on('data', (bytes: Buffer) => err.push(bytes));
    child.stdin.on('error', () => undefined).end(input);
    child.once('error', reject);
    child.once('close', (code) =>
      resolve({ code: code ?? 137, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() }),
    );
  });
}
