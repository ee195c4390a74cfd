import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClientCommit, lineRef, writeClientCommits } from '../../../server/bucket/client-commit.ts';
import { blobOf, printOffers } from '../../../server/bucket/client-offers.ts';
import { createGit, type Git, runGit } from '../../../server/bucket/git-backend.ts';
import { readRef } from '../../../server/bucket/refs.ts';
import { ensureRepository } from '../../../server/bucket/repository.ts';

describe('the commits of clients', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'go-win-tools-client-commit-'));
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  async function bucket(name: string): Promise<Git> {
    const home = join(dir, name);
    await mkdir(home);
    const git = createGit(join(home, 'repo.git'), home, process.env);
    await ensureRepository(home, git);
    return git;
  }
  const run = async (git: Git, ...args: string[]): Promise<string> =>
    (await runGit(git, args)).toString().trim();
  const tip = (git: Git): Promise<string> => run(git, 'rev-parse', 'main');
  const write = async (git: Git, ...commits: ClientCommit[]): Promise<string> =>
    (await writeClientCommits(git, commits)).at(-1) ?? '';
  const offer = (tool: string, version: string) => ({ tool, version, text: `{"version":"${version}"}\n` });
  const at = new Date(1_700_000_000_999);

  it('are the same on every machine, one by one or together, on main and the one before', async () => {
    const parts = async (git: Git) => [
      { main: await tip(git), at, offers: [offer('buf', '1.30.0'), offer('delve', '1.22.0')] },
      { main: await tip(git), at: new Date(2e12), offers: [] },
    ];
    const [one, two] = await Promise.all([bucket('one'), bucket('two')]);
    const [first, second] = await parts(one);
    const previous = await write(one, { ...first!, previous: undefined });
    const last = await write(one, { ...second!, previous });

    const [again, follows] = await parts(two);
    const together = await write(two, { ...again!, previous: undefined }, { ...follows!, previous: ':1' });

    expect(together).toBe(last);
    expect(await readRef(two.dir, lineRef)).toBe(last);
    expect(await run(one, 'log', '--topo-order', '--format=%an <%ae> %at %ct|%s|%P', last)).toBe(
      [
        `go-win-tools <go-win-tools@localhost> 2000000000 2000000000|(chore): Follow main|${await tip(one)} ${previous}`,
        `go-win-tools <go-win-tools@localhost> 1700000000 1700000000|buf: Update to version 1.30.0, delve: Update to version 1.22.0|${await tip(one)}`,
        await run(one, 'log', '--topo-order', '--format=%an <%ae> %at %ct|%s|%P', 'main'),
      ].join('\n'),
    );
    await run(two, 'fsck', '--strict');
  });

  it("have main's tree, with other manifests of their tools, and no placeholder beside them", async () => {
    const git = await bucket('tree');
    const main = await tip(git);
    const first = await write(git, { main, previous: undefined, at, offers: [offer('delve', '1.21.2')] });
    const second = await write(git, {
      main: first,
      previous: undefined,
      at,
      offers: [offer('delve', '1.22.0')],
    });

    expect(await run(git, 'diff', '--name-status', main, first)).toBe(
      'D\tbucket/.gitkeep\nA\tbucket/delve.json',
    );
    expect(await run(git, 'diff', '--name-status', first, second)).toBe('M\tbucket/delve.json');
    expect(await run(git, 'rev-parse', `${second}:bucket/delve.json`)).toBe(
      blobOf(offer('delve', '1.22.0').text),
    );
  });

  it('are known by the ids that git gives to their manifests', async () => {
    const git = await bucket('blobs');
    const text = 'J\u00fcrgen \u{1F600}\n';
    const oid = (await runGit(git, ['hash-object', '--stdin'], { input: text })).toString().trim();

    expect(printOffers([{ tool: 'buf', version: '1.0.0', text }])).toBe(`[["buf","1.0.0","${oid}"]]`);
  });
});
