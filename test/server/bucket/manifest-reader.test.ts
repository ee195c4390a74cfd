import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { printScoopManifest } from '../../../formats/scoop-manifest.ts';
import { createGit, runGit } from '../../../server/bucket/git-backend.ts';
import { createManifestReader } from '../../../server/bucket/manifest-reader.ts';
import { initRepository } from '../../../server/bucket/repository.ts';
import { makeTempDir } from '../../kit/test-server.ts';

const tools = Array.from({ length: 30 }, (_, n) => `tool${n}`);

/** A stream of `git fast-import`: both branches with a manifest of each tool. */
function historyOf(names: readonly string[]): string {
  const files = names.map((tool) => {
    const text = printScoopManifest({
      version: '1.0.0',
      description: tool,
      homepage: 'https://example.test',
      license: 'MIT',
      url: `https://example.test/${tool}.exe`,
      hash: 'a'.repeat(64),
    });
    return `M 100644 inline bucket/${tool}.json\ndata ${Buffer.byteLength(text)}\n${text}\n`;
  });
  const commit = (branch: string) =>
    `commit refs/heads/${branch}\ncommitter a <a@b> 1800000000 +0000\ndata 1\nx\n${files.join('')}\n`;
  return `${commit('main')}${commit('beta')}`;
}

describe.skipIf(process.platform === 'win32')('manifests by version', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await makeTempDir();
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('need few git processes, however many are requested at once', async () => {
    const repo = join(dir, 'repo.git');
    const real = createGit(repo, dir, process.env);
    await initRepository(real);
    await runGit(real, ['fast-import', '--quiet'], { input: historyOf(tools) });
    const log = join(dir, 'log');
    // `git cat-file` is ended by a signal, and says no more.
    const note = (word: string) => `[ "$1" = log ] && { echo ${word} >>'${log}'; sleep 0.1; }`;
    const counting = `#!/bin/sh\n${note('begin')}\nPATH="\${PATH#*:}" git "$@"\nend=$?\n${note('end')}\nexit $end\n`;
    await writeFile(join(dir, 'git'), counting);
    await chmod(join(dir, 'git'), 0o755);
    const git = createGit(repo, dir, { ...process.env, PATH: `${dir}${delimiter}${process.env.PATH}` });
    const reader = createManifestReader(git);

    const found = await Promise.all(tools.map((tool) => reader.readManifestAtVersion(tool, '1.0.0')));

    expect(found.map((manifest) => manifest?.tool)).toEqual(tools);
    let running = 0;
    let most = 0;
    for (const line of (await readFile(log, 'utf8')).trim().split('\n')) {
      running += line === 'begin' ? 1 : -1;
      most = Math.max(most, running);
    }
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
  });
});
