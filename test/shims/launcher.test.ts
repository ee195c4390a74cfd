import { appendFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { digestBytes } from '../../formats/digest.ts';
import type { BuiltProgram } from '../../own-packages/build-program.ts';
import { hasProgram, mustRun, run } from '../kit/programs.ts';
import { makeTempDir, productDir } from '../kit/test-server.ts';
import { buildTestLauncher } from './windows.ts';

describe.skipIf(!hasProgram('go'))('the launcher (needs go)', () => {
  let dir: string;
  let launcher: BuiltProgram;

  beforeAll(async () => {
    dir = await makeTempDir();
    launcher = await buildTestLauncher();
  });

  afterAll(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));

  it('contains nothing of the machine that built it', async () => {
    const text = (await readFile(launcher.path)).toString('latin1');

    expect(text).not.toContain(productDir);
    expect(text).not.toContain(process.env.HOME ?? productDir);
  });

  it('is well formed Go (needs gofmt and go vet)', async () => {
    const source = join(productDir, 'shims', 'launcher');
    const env = { GOOS: 'windows', GOARCH: 'amd64', GOTOOLCHAIN: 'local', GOFLAGS: '-mod=mod' };
    expect(await mustRun('gofmt', ['-l', source])).toBe('');
    expect(await run('go', ['vet', '.'], { cwd: source, env })).toMatchObject({ code: 0 });
  });

  describe.skipIf(!hasProgram('osslsigncode') || !hasProgram('openssl'))(
    'signed (needs osslsigncode and openssl)',
    () => {
      it('carries the signature that SIGN_COMMAND made', async () => {
        const [key, certificate, signed] = ['key.pem', 'cert.pem', 'signed.exe'].map((name) =>
          join(dir, name),
        );
        await mustRun('openssl', [
          ...[
            'req',
            '-x509',
            '-newkey',
            'rsa:2048',
            '-nodes',
            '-days',
            '2',
            '-subj',
            '/CN=Example Code Signing',
          ],
          ...['-addext', 'extendedKeyUsage=codeSigning', '-keyout', key!, '-out', certificate!],
        ]);
        const script = join(dir, 'sign it.sh');
        await writeFile(
          script,
          `#!/bin/sh\nosslsigncode sign -certs ${certificate} -key ${key} -h sha256 -in "$2" -out ${signed} && mv ${signed} "$2"\n`,
          { mode: 0o755 },
        );

        const own = await buildTestLauncher(`"${script}" --file {file}`, dir);

        const { stdout } = await run('osslsigncode', ['verify', '-CAfile', certificate!, '-in', own.path]);
        expect(stdout).toContain('Example Code Signing');
        expect(stdout).toContain('Signature verification: ok');
        expect(own.digest.sha256).not.toBe(launcher.digest.sha256);
      });
    },
  );

  it('is signed by a command that inherits what signing needs, and no secret of ours', async () => {
    const [script, seen] = [join(dir, 'look.sh'), join(dir, 'seen')];
    await writeFile(script, `#!/bin/sh\nenv > '${seen}'\n`, { mode: 0o755 });
    vi.stubEnv('GITHUB_TOKEN', 'secret-of-the-forge');
    vi.stubEnv('SIGN_PIN', '1234');
    try {
      await buildTestLauncher(`${script} {file}`, join(dir, 'looked'));
    } finally {
      vi.unstubAllEnvs();
    }
    const env = await readFile(seen, 'utf8');
    expect(env).toContain('SIGN_PIN=1234');
    expect(env).not.toContain('secret-of-the-forge');
  });

  it('has one signature on a machine, so that beta and main are the same, until that is taken away or changed', async () => {
    const [script, keptIn] = [join(dir, 'sign.sh'), join(dir, 'kept')];
    // as a time stamp does
    await writeFile(script, '#!/bin/sh\ndate +%s%N >> "$1"\n', { mode: 0o755 });
    const digestOf = async (command = script): Promise<string> => {
      const own = await buildTestLauncher(command, keptIn);
      return digestBytes(await readFile(own.path)).sha256;
    };

    const first = await digestOf();
    expect(await digestOf()).toBe(first);
    expect(await digestOf(`${script} {file}`)).not.toBe(first);
    for (const name of await readdir(keptIn, { recursive: true }))
      if (name.endsWith('.exe')) await appendFile(join(keptIn, name), 'changed');
    const other = await digestOf();
    expect(other).not.toBe(first);
    await rm(keptIn, { recursive: true });
    expect([first, other]).not.toContain(await digestOf());
  });

  it('does not exist when the signing command fails, whose output is not shown', async () => {
    const failing = buildTestLauncher('sh -c "echo secret >&2; exit 3"');

    await expect(failing).rejects.toMatchObject({
      code: 'SIGN_FAILED',
      message: expect.not.stringContaining('secret'),
    });
  });
});
