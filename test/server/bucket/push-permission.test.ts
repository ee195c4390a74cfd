import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGitClient, type GitClient } from '../../kit/git.ts';
import { type BucketServer, serveBucket } from './serve-bucket.ts';

/** buf 1.32.0 is stable on both branches, acme-cli and delve are betas; ids that begin with `acme` are reserved. */
describe('what a key may change in the bucket', () => {
  let server: BucketServer;
  let git: GitClient;
  let address: string;
  let clones = 0;

  beforeAll(async () => {
    server = await serveBucket({ reservedIds: ['acme*'] });
    git = await createGitClient(server.dir, 'key-push');
    address = `${server.url}/git/beta/go-win-tools.git`;
    const work = await freshClone();
    const files = { 'bucket/buf.json': server.manifest('buf', '1.32.0') };
    await git.commit(work, 'buf: Update to version 1.32.0', files);
    await release(work, 'delve', '1.22.0-beta.1');
    await git.run(work, 'push', '-q', 'origin', 'beta');
    await git.run(work, 'switch', '-q', 'main');
    await git.commit(work, 'buf: Update to version 1.32.0', files);
    await git.run(work, 'push', '-q', 'origin', 'main');
    await git.run(work, 'switch', '-q', 'beta');
    await release(work, 'acme-cli', '1.0.0-beta.1');
    const owner = await createGitClient(server.dir, 'key-acme');
    await owner.run(work, 'push', '-q', 'origin', 'beta');
  });
  afterAll(() => server.stop());

  async function freshClone(): Promise<string> {
    clones += 1;
    return git.clone(address, `work-${clones}`);
  }
  async function release(work: string, tool: string, version: string): Promise<void> {
    const files = { [`bucket/${tool}.json`]: server.manifest(tool, version) };
    await git.commit(work, `${tool}: Update to version ${version}`, files);
  }
  /** The same version and bytes, with something more that runs at install. */
  async function chore(work: string, tool: string): Promise<void> {
    const text = (await git.run(work, 'show', `HEAD:bucket/${tool}.json`)).replace('The tool', 'A tool');
    await git.commit(work, '(chore): Touch it', { [`bucket/${tool}.json`]: `${text}\n` });
  }
  async function move(work: string, from: string, to: string): Promise<void> {
    await git.run(work, 'mv', from, to);
    await git.run(work, 'commit', '-q', '-m', '(chore): Rename');
  }

  type Case = {
    readonly name: string;
    readonly key: string;
    readonly prepare: (work: string) => Promise<unknown>;
    readonly refspecs?: readonly string[];
    readonly says: RegExp;
  };
  const reserved = /for acme-cli: the id is reserved \(acme\*\)/;
  const cases: Case[] = [
    {
      name: 'a release of a reserved id',
      key: 'key-push',
      prepare: (work) => release(work, 'acme-cli', '1.0.1-beta.1'),
      says: reserved,
    },
    {
      name: 'a new reserved id',
      key: 'key-push',
      prepare: (work) => release(work, 'acme', '1.0.0-beta.1'),
      says: /for acme: the id is reserved/,
    },
    {
      name: 'a chore on a reserved id',
      key: 'key-push',
      prepare: (work) => chore(work, 'acme-cli'),
      says: reserved,
    },
    {
      name: 'a reserved id renamed away',
      key: 'key-push',
      prepare: (work) => move(work, 'bucket/acme-cli.json', 'bucket/mine.json'),
      says: reserved,
    },
    {
      name: 'a file renamed to a reserved id',
      key: 'key-push',
      prepare: (work) => move(work, 'bucket/delve.json', 'bucket/acme.json'),
      says: /for acme: the id is reserved/,
    },
    {
      name: 'the end of a reserved id',
      key: 'key-push',
      prepare: async (work) => {
        await git.run(work, 'rm', '-q', 'bucket/acme-cli.json');
        await git.run(work, 'commit', '-q', '-m', '(chore): Remove it');
      },
      says: reserved,
    },
    {
      name: 'a folder in the place of a reserved id',
      key: 'key-push',
      prepare: async (work) => {
        await git.run(work, 'rm', '-q', 'bucket/acme-cli.json');
        await git.commit(work, '(chore): A folder', { 'bucket/acme-cli.json/x.md': 'x\n' });
      },
      says: reserved,
    },
    {
      name: 'the tag of a reserved id',
      key: 'key-push',
      prepare: (work) => git.run(work, 'tag', 'acme-cli/v1.0.0-beta.1'),
      refspecs: ['acme-cli/v1.0.0-beta.1'],
      says: reserved,
    },
    {
      name: 'a reserved id with a key for other ids',
      key: 'key-buf',
      prepare: (work) => chore(work, 'acme-cli'),
      says: /may not push beta for acme-cli/,
    },
    {
      name: 'a chore on a foreign id',
      key: 'key-buf',
      prepare: (work) => chore(work, 'delve'),
      says: /may not push beta for delve/,
    },
    {
      name: 'a foreign id renamed to its own',
      key: 'key-buf',
      prepare: (work) => move(work, 'bucket/delve.json', 'bucket/buf2.json'),
      says: /may not push beta for delve/,
    },
    {
      name: 'the tag of a foreign id',
      key: 'key-buf',
      prepare: (work) => git.run(work, 'tag', 'delve/v1.22.0-beta.1', 'HEAD~1'),
      refspecs: ['delve/v1.22.0-beta.1'],
      says: /may not push delve\/v1\.22\.0-beta\.1 for delve/,
    },
    {
      name: 'a chore on the stable version of its own',
      key: 'key-beta-buf',
      prepare: (work) => chore(work, 'buf'),
      says: /a change of the stable version 1\.32\.0 to beta for buf: it needs the scope push\./,
    },
    {
      name: 'a chore on a stable version',
      key: 'key-beta',
      prepare: (work) => chore(work, 'buf'),
      says: /a change of the stable version 1\.32\.0/,
    },
    {
      name: 'a script beside a beta',
      key: 'key-beta',
      prepare: (work) => git.commit(work, '(chore): A script', { 'scripts/install.ps1': 'exit\n' }),
      says: /may not push scripts\/install\.ps1 to beta: it needs the scope push\./,
    },
    {
      name: 'a list of deprecated tools',
      key: 'key-beta',
      prepare: (work) => git.commit(work, '(chore): Retire', { 'deprecated/buf.json': '{}\n' }),
      says: /may not push deprecated\/buf\.json to beta/,
    },
    {
      name: 'an empty commit with a key for some ids',
      key: 'key-buf',
      prepare: async (work) => {
        await git.run(work, 'commit', '-q', '--allow-empty', '-m', '(chore): Nothing');
        await release(work, 'buf', '1.33.0-beta.1');
      },
      says: /may not push beta: it is limited to buf, and this belongs to all tools/,
    },
    {
      name: 'a folder in another case',
      key: 'key-push',
      prepare: async (work) => {
        const oid = await git.run(work, 'rev-parse', 'HEAD:bucket/buf.json');
        await git.run(work, 'update-index', '--add', '--cacheinfo', `100644,${oid},Bucket/gum.json`);
        await git.run(work, 'commit', '-q', '-m', '(chore): Another folder');
      },
      says: /"Bucket\/gum\.json" appears twice, in names that differ in case only/,
    },
    {
      name: 'the short name of .gitattributes',
      key: 'key-push',
      prepare: (work) => git.commit(work, '(chore): Short', { 'GITATT~1': '* -text\n' }),
      says: /"GITATT~1" has a name that/,
    },
    {
      name: 'attributes in another case',
      key: 'key-push',
      prepare: (work) => git.commit(work, '(chore): Attributes', { 'docs/.GitAttributes': '* -text\n' }),
      says: /must be the one line/,
    },
    {
      name: 'a path that Windows cannot hold below its folders',
      key: 'key-push',
      prepare: (work) =>
        git.commit(work, '(chore): Long', { [`${'d'.repeat(80)}/${'f'.repeat(80)}.md`]: 'x\n' }),
      says: /has a path of more than 150 characters/,
    },
  ];

  it.each(cases)('is not $name', async ({ key, prepare, refspecs = ['beta'], says }) => {
    const work = await freshClone();
    const pusher = await createGitClient(server.dir, key);
    const before = await git.run(server.dir, 'ls-remote', address);
    await prepare(work);

    const { code, stderr } = await pusher.try(work, 'push', 'origin', ...refspecs);

    expect(code, stderr).not.toBe(0);
    expect(stderr).toMatch(says);
    expect(await git.run(server.dir, 'ls-remote', address)).toBe(before);
  });

  it.each([
    ['its own reserved id', 'key-acme', (work: string) => chore(work, 'acme-cli')],
    ['a beta', 'key-beta', (work: string) => chore(work, 'delve')],
    [
      'the README beside betas',
      'key-beta',
      (work: string) => git.commit(work, '(chore): Say more', { 'README.md': '# More\n' }),
    ],
    [
      'a beta above the stable version',
      'key-beta-buf',
      (work: string) => release(work, 'buf', '1.33.0-beta.1'),
    ],
    [
      'a release that takes the placeholder along',
      'key-beta-buf',
      async (work: string) => {
        await git.run(work, 'rm', '-q', 'bucket/.gitkeep');
        await release(work, 'buf', '1.34.0-beta.1');
      },
    ],
  ])('is %s', async (_name, key, prepare) => {
    const work = await freshClone();
    const pusher = await createGitClient(server.dir, key);
    await prepare(work);

    await pusher.run(work, 'push', '-q', 'origin', 'beta');
  });
});
