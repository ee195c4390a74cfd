import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cli } from '../../kit/cli.ts';
import { delveRelease } from '../../kit/generator.ts';
import { type Listening, listen } from '../../kit/listen.ts';
import { type SmallStart, startSmall } from '../../kit/small-start.ts';

/** A bucket that the generator made at another host, and what people may then do to it. */
describe('bucket:check', () => {
  let small: SmallStart;
  let dir: string;
  let upstream: Listening;
  const release = delveRelease('1.26.3');

  beforeEach(async () => {
    small = await startSmall([release]);
    ({ dir } = small);
    upstream = await listen((request, response) => {
      response.end(release.assets!.find(({ name }) => request.url?.endsWith(`/${name}`))?.bytes);
    });
    const env = { PAYLOAD_URL: `${upstream.url}/{repository}/{tag}/{asset}` };
    await small.generator.run('release:beta', ['delve'], { env });
    await small.generator.run('release:promote', ['delve'], { env });
    git('clone', '--quiet', join(dir, 'bucket.git'), join(dir, 'clone'));
  });
  afterEach(async () => {
    await small.stop();
    await upstream.stop();
  });

  it('accepts what the generator pushed, in a bare repository and in the clone of a CI', async () => {
    for (const place of ['bucket.git', 'clone']) {
      const result = await cli({}, 'bucket:check', join(dir, place));

      expect(result.code, result.stderr).toBe(0);
      expect(result.stdout).toBe('All rules are followed: commits 1 on main, 2 on beta; tags 2.\n');
    }
  });

  it('names every rule that a manual commit breaks: exit 1', async () => {
    const clone = join(dir, 'clone');
    await mkdir(join(clone, 'bucket', 'old'), { recursive: true });
    await writeFile(join(clone, 'bucket', 'old', 'x.json'), '{}\n');
    git('-C', clone, 'add', '.');
    git('-C', clone, '-c', 'user.name=a', '-c', 'user.email=a@b.test', 'commit', '--quiet', '-m', 'Tidy up');

    const result = await cli({}, 'bucket:check', clone);

    expect(result.code).toBe(1);
    expect(result.stderr).toContain('(release-or-chore)');
    expect(result.stderr).toContain('(manifests-only)');
    const json = await cli({}, 'bucket:check', clone, '--json');
    const rules = json.stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { rule: string }).rule);
    expect(rules.toSorted()).toEqual(['manifests-only', 'release-or-chore']);
  });

  it('checks only what came after a commit', async () => {
    const beta = git('-C', join(dir, 'bucket.git'), 'rev-parse', 'main').trim();

    const result = await cli({}, 'bucket:check', join(dir, 'bucket.git'), '--since', beta);

    expect(result.stderr).toContain('beta only moves forward');
    expect((await cli({}, 'bucket:check', join(dir, 'bucket.git'), '--since', 'nowhere')).stderr).toContain(
      'it has no commit nowhere',
    );
  });

  it('reports what is not a bucket', async () => {
    const result = await cli({}, 'bucket:check', dir);

    expect(result.code).toBe(2);
    expect(result.stderr).toContain('it is no git repository');
  });

  function git(...args: string[]): string {
    return execFileSync('git', args, { encoding: 'utf8' });
  }
});
