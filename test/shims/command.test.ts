import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cli } from '../kit/cli.ts';
import { hasProgram } from '../kit/programs.ts';
import { testCacheDir } from '../kit/test-cache.ts';
import { makeTempDir } from '../kit/test-server.ts';

const commands = ['buf', 'dlv', 'goreleaser'];

describe('shims', () => {
  let dir: string;
  let out: string;
  /** No Go to be found: the programs that this test itself needs lie elsewhere. */
  const withoutGo = { PATH: join(process.execPath, '..'), CACHE_DIR: testCacheDir };

  beforeEach(async () => {
    dir = await makeTempDir();
    out = join(dir, 'shims');
  });

  afterEach(async () => {
    await rm(dir, { recursive: true, force: true });
  });

  it.skipIf(!hasProgram('go'))(
    'writes all forms for each command and prints the hash of the launcher (needs go)',
    async () => {
      const result = await cli({ CACHE_DIR: testCacheDir }, 'shims', '--out', out);

      expect(result.code, result.stderr).toBe(0);
      const names = commands.flatMap((name) => [name, `${name}.cmd`, `${name}.exe`, `${name}.shim.json`]);
      expect((await readdir(out)).sort()).toEqual(names.sort());
      expect(result.stdout.trim().split('\n').sort()).toEqual(names.sort());
      expect(result.stderr).toMatch(/SHA-256 [0-9a-f]{64}\./);
      const [first, ...others] = await Promise.all(
        commands.map((name) => readFile(join(out, `${name}.exe`))),
      );
      for (const other of others) expect(other.equals(first!)).toBe(true);
    },
  );

  it('writes only the scripts without Go, says so, and leaves no launcher of an earlier run', async () => {
    await mkdir(out);
    await writeFile(join(out, 'buf.exe'), 'with an old policy');

    const result = await cli(withoutGo, 'shims', '--out', out);

    expect(result.code, result.stderr).toBe(0);
    expect(result.stderr).toContain('No .exe is made');
    expect(result.stderr).toContain('needs call');
    expect((await readdir(out)).sort()).toEqual(commands.flatMap((name) => [name, `${name}.cmd`]));
  });

  it('accepts a policy, its own commands, and only the requested tools', async () => {
    const policy = join(dir, 'policy.yaml');
    await writeFile(policy, 'prefer: choco\ntools:\n  terraform: {prefer: pinned, pin: 1.9.0}\n');

    const result = await cli(
      withoutGo,
      'shims',
      '--out',
      out,
      '--policy',
      policy,
      '--tool',
      'buf',
      'terraform',
    );

    expect(result.code, result.stderr).toBe(0);
    expect((await readdir(out)).sort()).toEqual(['buf', 'buf.cmd', 'terraform', 'terraform.cmd']);
    expect(await readFile(join(out, 'terraform'), 'utf8')).toContain("pin='1.9.0'");
    expect(await readFile(join(out, 'buf.cmd'), 'utf8')).toContain('set "prefer=choco"\r\n');
  });

  it('removes what an earlier run wrote and this one does not, nothing else, and reports commands that are not tools', async () => {
    const policy = join(dir, 'policy.yaml');
    await writeFile(policy, 'tools:\n  esbuildd: {prefer: scoop}\n');
    const first = await cli(withoutGo, 'shims', '--out', out, '--policy', policy);
    // what a run with Go would have left, and files of others
    await writeFile(join(out, 'esbuildd.exe'), 'a launcher');
    await writeFile(join(out, 'esbuildd.shim.json'), '{\n  "schema": 1,\n  "tool": "esbuildd"\n}\n');
    await writeFile(join(out, 'own.cmd'), '@echo mine\r\n');
    await writeFile(join(out, 'own.exe'), 'mine');
    const some = await cli(withoutGo, 'shims', '--out', out, '--tool', 'buf');
    const untouched = await readdir(out);

    await writeFile(policy, 'tools:\n  esbuild: {prefer: scoop}\n');
    const second = await cli(withoutGo, 'shims', '--out', out, '--policy', policy);

    expect([first.code, some.code, second.code]).toEqual([0, 0, 0]);
    expect(first.stderr).toContain(
      "esbuildd: a command of the policy; the tools' folder has no tool of this name.",
    );
    expect(untouched).toContain('esbuildd.exe');
    expect(second.stderr).toContain(
      'Removed files of an earlier run: esbuildd, esbuildd.cmd, esbuildd.exe, esbuildd.shim.json.',
    );
    const scripts = [...commands, 'esbuild'].flatMap((name) => [name, `${name}.cmd`]);
    expect((await readdir(out)).sort()).toEqual([...scripts, 'own.cmd', 'own.exe'].sort());
  });

  it.each([
    ['no --out', [], '--out <dir> (or --publish) is missing'],
    ['an empty --out', ['--out', ''], '--out names no folder'],
    ['a word that is none', ['--policy', 'prefer: chocolatey'], 'line 1: prefer "chocolatey" is none of'],
    ['pinned without a pin', ['--policy', 'prefer: pinned'], 'pin: VERSION is missing'],
    ['a policy that is not there', ['--policy', ''], 'cannot be read'],
    ['an unknown option', ['--prefer', 'scoop'], "unknown option '--prefer'"],
  ])('refuses %s: exit 2, nothing written', async (_, args, sentence) => {
    const policy = join(dir, 'policy.yaml');
    const at = args.indexOf('--policy') + 1;
    if (at > 0 && args[at] !== '') await writeFile(policy, args[at]!);
    const given = at > 0 ? ['--policy', policy] : args;
    const result = await cli(
      withoutGo,
      'shims',
      ...(args.length === 0 || args[0] === '--out' ? [] : ['--out', out]),
      ...given,
    );

    expect(result.code, result.stderr).toBe(2);
    expect(result.stderr).toContain(sentence);
    expect((await readdir(dir)).filter((name) => name !== 'policy.yaml')).toEqual([]);
  });

  it('lists the tools when asked for an unknown one', async () => {
    const result = await cli(withoutGo, 'shims', '--out', out, '--tool', 'nosuch');

    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(
      /^There is no tool nosuch. The tools are buf, delve, goreleaser\.\n {2}Name one of these, or /m,
    );
  });

  it.skipIf(process.platform !== 'linux')('ends where no folder can be made', async () => {
    const result = await cli(withoutGo, 'shims', '--out', '/proc/nowhere/shims');

    expect([result.code, result.stderr]).toEqual([2, expect.stringContaining('/proc/nowhere')]);
  });

  it('refuses an --out that is a file', async () => {
    await writeFile(out, '');

    const result = await cli(withoutGo, 'shims', '--out', out);

    expect([result.code, result.stderr]).toEqual([2, expect.stringContaining(out)]);
  });

  it('writes .cmd as cmd and old code pages need it: ASCII, CRLF, nothing that changes the console or reads arguments twice', async () => {
    await cli(withoutGo, 'shims', '--out', out);
    for (const name of commands) {
      const bytes = await readFile(join(out, `${name}.cmd`));
      const text = bytes.toString('latin1');
      expect(bytes.every((byte) => byte < 128)).toBe(true);
      expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
      expect(text).not.toMatch(/chcp|enabledelayedexpansion/i);
      // the first that works on anything of the caller's
      expect(text.replaceAll(/^(@echo off|rem .*)\r\n/gm, '')).toMatch(
        /^setlocal EnableExtensions DisableDelayedExpansion\r\n/,
      );
      // `call` reads what follows a second time: only for labels and words of our own
      for (const [, called] of text.replaceAll(/^rem .*$/gm, '').matchAll(/\bcall\s+(\S+)/g))
        expect(called).toMatch(/^:\w+$/);
      expect(text.trimEnd().split('\r\n').at(-1)).toBe('"%GO_WIN_TOOLS_RUN%" %*');
    }
  });
});
