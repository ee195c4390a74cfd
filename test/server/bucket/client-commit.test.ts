import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeClientCommit, writeClientTree } from '../../../server/bucket/client-commit.ts';
import { createGit, type Git, runGit } from '../../../server/bucket/git-backend.ts';
import { readRef } from '../../../server/bucket/refs.ts';
import { ensureRepository } from '../../../server/bucket/repository.ts';
import { type Chain, serve, sinceAfter } from '../../../server/rollout/chain.ts';
import { createGitClient, type GitClient } from '../../kit/git.ts';

let dir: string;
let client: GitClient;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'go-win-tools-client-commit-'));
  client = await createGitClient(dir);
});

afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

async function bucket(name: string): Promise<Git> {
  const home = join(dir, name);
  await mkdir(home);
  const git = createGit(join(home, 'repo.git'), home, process.env);
  await ensureRepository(home, git);
  return git;
}

const tip = async (git: Git): Promise<string> => (await readRef(git.dir, 'refs/heads/main')) ?? '';

/** A release on main, as a promotion makes it. */
async function release(git: Git, tool: string, text: string): Promise<void> {
  const before = await tip(git);
  const tree = await writeClientTree(git, before, new Map([[tool, text]]));
  const commit = await writeClientCommit(git, {
    tree,
    parents: [before],
    at: 0,
    offers: [`${tool} ${text}`],
  });
  await runGit(git, ['update-ref', 'refs/heads/main', commit]);
}

describe('the commit of a client', () => {
  it('is the same on every machine, with main and the previous link as its parents', async () => {
    const made = await Promise.all(
      ['one', 'two'].map(async (name) => {
        const git = await bucket(name);
        const main = await tip(git);
        const tree = await writeClientTree(git, main, new Map([['delve', '{"version":"1.22.0"}\n']]));
        const first = await writeClientCommit(git, {
          tree,
          parents: [main],
          at: 1e12,
          offers: ['delve 1.22.0'],
        });
        const second = await writeClientCommit(git, {
          tree: await writeClientTree(git, main, new Map()),
          parents: [first, main],
          at: 2e12,
          offers: [],
        });
        const log = await runGit(git, ['log', '--format=%s|%p|%ct', '--first-parent', second]);
        return [second, log.toString()];
      }),
    );
    expect(made[0]).toEqual(made[1]);
    expect(made[0]?.[1]).toMatch(
      /^\(chore\): Follow main\|[0-9a-f]+ [0-9a-f]+\|2000000000\ndelve: Update to version 1\.22\.0\|/,
    );
  });

  it('replaces the manifests of its tools and nothing else', async () => {
    const git = await bucket('replaced');
    await release(git, 'buf', 'old buf');
    await release(git, 'delve', 'old delve');
    const main = await tip(git);
    const tree = await writeClientTree(
      git,
      main,
      new Map([
        ['delve', 'new delve'],
        ['goreleaser', 'first'],
      ]),
    );
    const changed = (await runGit(git, ['diff', '--name-status', main, tree])).toString();
    expect(changed).toBe('M\tbucket/delve.json\nA\tbucket/goreleaser.json\n');
    expect((await runGit(git, ['cat-file', '-p', `${tree}:bucket/buf.json`])).toString()).toBe('old buf');
    await runGit(git, ['fsck', '--strict', tree]);
  });
});

describe('clients that pull after each of many steps', () => {
  const views = ['', '1', '2', '1,2'];
  const step = fc.oneof(
    fc.record({ kind: fc.constant('release' as const), tool: fc.constantFrom('buf', 'delve') }),
    fc.record({
      kind: fc.constant('change' as const),
      view: fc.constantFrom('1', '2', '1,2'),
      tool: fc.constantFrom('buf', 'delve'),
    }),
    fc.record({ kind: fc.constant('admit' as const), client: fc.nat(2), view: fc.constantFrom(...views) }),
  );
  let run = 0;

  it('go forward each time, and have exactly what their view shows', { timeout: 300_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 12 }), async (steps) => {
        run += 1;
        const git = await bucket(`bucket-${run}`);
        await release(git, 'buf', 'buf 0');
        const onMain = new Map([['buf', 'buf 0']]);
        let chain: Chain = { links: [], served: new Map() };
        const commits: string[] = [];
        const shown = new Map<string, Map<string, string>>(views.map((view) => [view, new Map()]));
        const clients = [0, 1, 2].map((id) => ({
          folder: join(dir, `client-${run}-${id}`),
          view: '',
          since: 0,
        }));
        for (const { folder } of clients)
          await client.run(dir, 'init', '--quiet', '--initial-branch=main', folder);

        async function headOf({ view, since }: (typeof clients)[number]): Promise<string> {
          const main = await tip(git);
          const tree = await writeClientTree(git, main, shown.get(view) ?? new Map());
          const next = serve(chain, { tree, main, view, since });
          if (next.index === commits.length) {
            const parents = [...commits.slice(-1), main];
            commits.push(await writeClientCommit(git, { tree, parents, at: 1e12 + next.index, offers: [] }));
          }
          chain = next.chain;
          return commits[next.index] ?? '';
        }

        async function pull(one: (typeof clients)[number]): Promise<void> {
          const head = await headOf(one);
          await runGit(git, ['update-ref', `refs/served/${run}`, head]);
          await client.run(one.folder, 'pull', '--quiet', '--ff-only', git.dir, `refs/served/${run}`);
          const status = await client.run(one.folder, 'status', '--porcelain=v2', '--branch');
          expect(status).toBe(`# branch.oid ${head}\n# branch.head main`);
          await client.run(one.folder, 'merge-base', '--is-ancestor', await tip(git), 'HEAD');
          const expected = new Map([...onMain, ...(shown.get(one.view) ?? [])]);
          expect(new Map(await readManifests(one.folder))).toEqual(expected);
        }

        for (const [index, each] of steps.entries()) {
          if (each.kind === 'release') {
            onMain.set(each.tool, `${each.tool} ${index}`);
            await release(git, each.tool, `${each.tool} ${index}`);
          }
          if (each.kind === 'change') shown.get(each.view)?.set(each.tool, `view ${index}`);
          const one = each.kind === 'admit' ? clients[each.client] : undefined;
          if (one !== undefined && each.kind === 'admit') {
            one.since = sinceAfter(chain, one.since, one.view);
            one.view = each.view;
          }
          for (const puller of clients) await pull(puller);
        }
      }),
      { numRuns: 2 },
    );
  });
});

async function readManifests(folder: string): Promise<readonly (readonly [string, string])[]> {
  const names = (await readdir(join(folder, 'bucket'))).filter((name) => name.endsWith('.json'));
  return Promise.all(
    names.map(
      async (name) =>
        [name.replace('.json', ''), await readFile(join(folder, 'bucket', name), 'utf8')] as const,
    ),
  );
}
