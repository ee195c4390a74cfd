import { chmod, cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasProgram, run } from '../kit/programs.ts';
import { makeTempDir, productDir } from '../kit/test-server.ts';

async function pipelines(): Promise<readonly { readonly name: string; readonly text: string }[]> {
  const folders = [join(productDir, '.github', 'workflows'), join(productDir, 'docs', 'ci')];
  const files = await Promise.all(
    folders.map(async (folder) => (await readdir(folder)).map((name) => join(folder, name))),
  );
  const named = files.flat().filter((file) => file.endsWith('.yml'));
  return Promise.all(named.map(async (name) => ({ name, text: await readFile(name, 'utf8') })));
}

describe('what pipelines and the image download', () => {
  it('is an action by its commit, with its version beside it', async () => {
    const uses = (await pipelines()).flatMap(({ text }) =>
      [...text.matchAll(/uses: (.*)/g)].map(([, use]) => use),
    );

    expect(uses.length).toBeGreaterThan(10);
    for (const use of uses) expect(use).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it('is one commit of an action everywhere', async () => {
    const uses = (await pipelines()).flatMap(({ text }) =>
      [...text.matchAll(/uses: (.*)/g)].map(([, use = '']) => use),
    );

    const commits = new Map<string, Set<string>>();
    for (const use of uses) {
      const [action = '', commit = ''] = use.split('@');
      commits.set(action, (commits.get(action) ?? new Set()).add(commit));
    }
    for (const [action, found] of commits) expect([...found], action).toHaveLength(1);
  });

  it('is pnpm by its bytes, in every pipeline and in the image', async () => {
    const lock = JSON.parse(await readFile(join(productDir, 'dev', 'pnpm', 'package-lock.json'), 'utf8'));
    expect(lock.packages['node_modules/pnpm'].integrity).toMatch(/^sha512-[\w+/]{86}==$/);
    expect(lock.packages['node_modules/pnpm'].version).toMatch(/^10\./);

    const dockerfile = await readFile(join(productDir, 'Dockerfile'), 'utf8');
    for (const text of [...(await pipelines()).map(({ text }) => text), dockerfile]) {
      expect(text).not.toMatch(/npx|corepack|npm (install|i) -g/);
    }
  });

  it('is no script that runs unchecked', async () => {
    for (const { name, text } of await pipelines()) {
      for (const [line] of text.matchAll(/.*(Invoke-WebRequest|Invoke-RestMethod|curl|wget).*https:.*/g)) {
        expect(line, name).toMatch(/\/[0-9a-f]{40}\//);
        expect(text, name).toMatch(/Get-FileHash[^\n]*SHA256[^\n]*-ne '[0-9a-f]{64}'/);
      }
    }
  });
});

/** The lines themselves, with a stand-in for docker that knows one digest. */
describe.skipIf(!hasProgram('bash'))('dev/base-image.sh (needs bash)', () => {
  const digest = `sha256:${'a1'.repeat(32)}`;

  async function checkout(answer = digest) {
    const dir = await makeTempDir();
    await mkdir(join(dir, 'dev'));
    await mkdir(join(dir, 'bin'));
    for (const name of ['Dockerfile', 'dev/base-image.sh']) await cp(join(productDir, name), join(dir, name));
    const docker = `#!/bin/sh\ncase $* in *@sha256:b2*) exit 1 ;; esac\necho '${answer}'\n`;
    await writeFile(join(dir, 'bin', 'docker'), docker);
    await chmod(join(dir, 'bin', 'docker'), 0o755);
    const env = { PATH: `${join(dir, 'bin')}:${process.env.PATH}` };
    return {
      file: join(dir, 'dev', 'base-image.txt'),
      call: (verb: string) => run('bash', [join(dir, 'dev', 'base-image.sh'), verb], { env }),
    };
  }

  it('records the digest of the tag that the Dockerfile has, and takes it from then on', async () => {
    const { file, call } = await checkout();

    expect((await call('record')).code).toBe(0);

    expect(await readFile(file, 'utf8')).toBe(`node:24-bookworm-slim@${digest}\n`);
    expect(await call('check')).toMatchObject({ code: 0, stdout: `node:24-bookworm-slim@${digest}\n` });
  });

  it('refuses a release before anything is recorded', async () => {
    const result = await (await checkout()).call('check');

    expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining('dev/base-image.sh record') });
  });

  it.each([
    'node:24-bookworm-slim',
    'node:24-bookworm-slim@sha256:short',
    `node:20-bookworm-slim@${digest}`,
    `elsewhere/node:24-bookworm-slim@${digest}`,
    `node:24-bookworm-slim@sha256:${'b2'.repeat(32)}`,
  ])('refuses a release on %s', async (base) => {
    const { file, call } = await checkout();
    await writeFile(file, `${base}\n`);

    expect((await call('check')).code).not.toBe(0);
  });

  it('records nothing but a digest', async () => {
    const { file, call } = await checkout('no digest');

    expect((await call('record')).code).toBe(1);
    await expect(readFile(file)).rejects.toThrow('ENOENT');
  });
});
