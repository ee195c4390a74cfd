import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createGit, type Git } from '../../../server/bucket/git-backend.ts';
import { mayNeedPacking, pack } from '../../../server/bucket/pack.ts';
import { ensureRepository } from '../../../server/bucket/repository.ts';
import { createLogger } from '../../../server/log.ts';
import { createGitClient } from '../../kit/git.ts';

describe('packing after a push', () => {
  let dir: string;
  let repository: Git;
  let lines: string[];
  const packing = (env = repository.env): Promise<void> =>
    pack({ ...repository, env }, createLogger('info', { write: (line) => void lines.push(line) }), 60_000);
  const packs = async (): Promise<readonly string[]> =>
    (await readdir(join(repository.dir, 'objects', 'pack'))).filter((name) => name.endsWith('.pack'));

  beforeEach(async () => {
    lines = [];
    dir = await mkdtemp(join(tmpdir(), 'go-win-tools-pack-'));
    repository = createGit(join(dir, 'repo.git'), dir, process.env);
    await ensureRepository(dir, repository);
  });
  afterEach(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));

  it('starts no git as long as there is little to pack', async () => {
    await writeLoose(4);

    expect(await mayNeedPacking(repository.dir)).toBe(false);
    await packing({ PATH: dir });
    expect(lines).toEqual([]);
  });

  it('is done as soon as git thinks it worth it', async () => {
    await writeLoose(9);

    await packing();
    expect(lines).toEqual([]);
    expect(await packs()).toHaveLength(1);
  });

  it('is logged when it fails', async () => {
    await writeLoose(9);

    await packing({ PATH: dir });
    expect(lines.join('')).toContain('the bucket could not be packed');
  });

  /** Objects in the folder by which git estimates how many there are: `objects/17`. */
  async function writeLoose(count: number): Promise<void> {
    const git = await createGitClient(dir);
    const texts = Array.from({ length: 10_000 }, (_, index) => `${index}\n`).filter((text) =>
      createHash('sha1').update(`blob ${text.length}\0${text}`).digest('hex').startsWith('17'),
    );
    for (const text of texts.slice(0, count)) await git.hashBlob(repository.dir, text);
  }
});
