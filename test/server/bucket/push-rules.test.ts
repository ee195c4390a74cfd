import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGitClient, type GitClient } from '../../kit/git.ts';
import { type BucketServer, serveBucket } from './serve-bucket.ts';

/** Where every case begins: buf 1.32.0 on both branches, with its tag; beta had 1.32.0-beta.1 before. */
describe('the rules of the bucket', () => {
  let server: BucketServer;
  let git: GitClient;
  let address: string;
  let clones = 0;

  beforeAll(async () => {
    server = await serveBucket();
    git = await createGitClient(server.dir, 'key-push');
    address = `${server.url}/git/beta/go-win-tools.git`;
    const work = await freshClone();
    await release(work, 'buf', '1.32.0-beta.1');
    const files = { 'bucket/buf.json': server.manifest('buf', '1.32.0') };
    await git.commit(work, 'buf: Update to version 1.32.0', files);
    await git.run(work, 'switch', '-q', 'main');
    await git.commit(work, 'buf: Update to version 1.32.0', files);
    await git.run(work, 'tag', 'buf/v1.32.0');
    await git.run(work, 'push', '-q', '--atomic', 'origin', 'main', 'beta', 'buf/v1.32.0');
  });
  afterAll(() => server.stop());

  /** On beta; blobs are made of the bytes as they are written, so that a case may write CRLF. */
  async function freshClone(): Promise<string> {
    clones += 1;
    return git.clone(address, `work-${clones}`);
  }

  async function refs(): Promise<string> {
    return git.run(server.dir, 'ls-remote', address);
  }

  type Case = {
    readonly name: string;
    readonly prepare: (work: string) => Promise<readonly string[]>;
    readonly says: string | RegExp;
    readonly key?: string;
  };

  const release = async (work: string, tool: string, version: string, text?: string): Promise<void> => {
    const manifest = text ?? server.manifest(tool, version);
    await git.commit(work, `${tool}: Update to version ${version}`, { [`bucket/${tool}.json`]: manifest });
  };
  const edited = (tool: string, version: string, edit: (text: string) => string): string =>
    edit(server.manifest(tool, version));
  const chore = async (work: string, path: string, content: string | Buffer): Promise<string[]> => {
    await git.commit(work, '(chore): Try something', { [path]: content });
    return ['beta'];
  };
  /** A commit made of an entry that cannot be checked out here: a mode or a name of its own. */
  const plumb = async (work: string, mode: string, path: string, oid: string): Promise<string[]> => {
    await git.run(work, 'update-index', '--add', '--cacheinfo', `${mode},${oid},${path}`);
    await git.run(work, 'commit', '-q', '-m', '(chore): Try something');
    return ['beta'];
  };

  const cases: readonly Case[] = [
    {
      name: 'another branch',
      prepare: async () => ['beta:refs/heads/nightly'],
      says: 'nightly: the bucket has the branches main and beta and tags TOOL/vVERSION, nothing else.',
    },
    {
      name: 'a ref that is neither branch nor tag',
      prepare: async () => ['beta:refs/notes/commits'],
      says: 'refs/notes/commits: the bucket has the branches main and beta',
    },
    {
      name: 'a tag of another form',
      prepare: async () => ['beta:refs/tags/v1.32.0'],
      says: 'v1.32.0: the bucket has the branches main and beta and tags TOOL/vVERSION, nothing else.',
    },
    {
      name: 'the end of a branch',
      prepare: async () => [':refs/heads/main'],
      says: 'main cannot be deleted: clients rely on it.',
    },
    {
      name: 'the end of a tag',
      prepare: async () => [':refs/tags/buf/v1.32.0'],
      says: 'buf/v1.32.0 cannot be deleted: clients rely on it.',
    },
    {
      name: 'a tag that moves',
      prepare: async () => ['+beta:refs/tags/buf/v1.32.0'],
      says: /buf\/v1\.32\.0 is published at [0-9a-f]{10} and cannot move: publish another version\./,
    },
    {
      name: 'a branch that goes back',
      prepare: async () => ['+beta~1:refs/heads/beta'],
      says: 'beta only moves forward: fetch it and rebase your commits',
    },
    {
      name: 'a history of its own',
      prepare: async (work) => {
        await git.run(work, 'checkout', '-q', '--orphan', 'other');
        await git.run(work, 'commit', '-q', '-m', '(chore): Begin again');
        return ['+other:refs/heads/beta'];
      },
      says: 'beta only moves forward: fetch it and rebase your commits',
    },
    {
      name: 'a branch that becomes the other one',
      prepare: async () => ['+origin/main:refs/heads/beta'],
      says: 'beta only moves forward',
    },
    {
      name: 'a merge',
      prepare: async (work) => {
        await git.run(work, 'merge', '-q', '-m', '(chore): Merge', 'origin/main');
        return ['beta'];
      },
      says: /beta is one line of commits, and [0-9a-f]{10} is a merge/,
    },
    {
      name: 'a message that is neither release nor chore',
      prepare: async (work) => {
        await git.commit(work, 'Improve things', { 'README.md': '# Better\n' });
        return ['beta'];
      },
      says: 'the message "Improve things" is neither "TOOL: Update to version VERSION" nor begins with "(chore)".',
    },
    {
      // git shows it as "(chore): Nothing" where iconv knows UTF-7
      name: 'a message that git may show as another one',
      prepare: async (work) => {
        const chore = 'encoding UTF-7\n\n(chore): +AE4AbwB0AGgAaQBuAGc-\n';
        const tree = await git.run(work, 'rev-parse', 'HEAD^{tree}');
        const head = await git.run(work, 'rev-parse', 'HEAD');
        const who = 'A Tester <tester@localhost> 1767225600 +0000';
        await writeFile(
          join(work, 'commit'),
          `tree ${tree}\nparent ${head}\nauthor ${who}\ncommitter ${who}\n${chore}`,
        );
        const oid = await git.run(work, 'hash-object', '-t', 'commit', '-w', 'commit');
        return [`${oid}:refs/heads/beta`];
      },
      says: 'the message is in "UTF-7", and must be in UTF-8 (git config i18n.commitEncoding UTF-8).',
    },
    {
      name: 'a release of two tools in one commit',
      prepare: async (work) => {
        await git.commit(work, 'buf: Update to version 1.33.0-beta.1', {
          'bucket/buf.json': server.manifest('buf', '1.33.0-beta.1'),
          'bucket/delve.json': server.manifest('delve', '1.22.0-beta.1'),
        });
        return ['beta'];
      },
      says: 'a release of buf changes bucket/buf.json and no other manifest; this one changes buf, delve.',
    },
    {
      name: 'a release that changes nothing',
      prepare: async (work) => {
        await git.run(work, 'commit', '-q', '--allow-empty', '-m', 'buf: Update to version 1.33.0');
        return ['beta'];
      },
      says: 'a release of buf changes bucket/buf.json and no other manifest; this one changes none.',
    },
    {
      name: 'a message that names another version than the manifest',
      prepare: async (work) => {
        await git.commit(work, 'buf: Update to version 1.34.0-beta.1', {
          'bucket/buf.json': server.manifest('buf', '1.33.0-beta.1'),
        });
        return ['beta'];
      },
      says: 'the message says version 1.34.0-beta.1, bucket/buf.json says "1.33.0-beta.1".',
    },
    {
      name: 'a lower version',
      prepare: async (work) => {
        await release(work, 'buf', '1.32.0-beta.9');
        return ['beta'];
      },
      says: "buf: 1.32.0-beta.9 is not an update of 1.32.0 in Scoop's order of versions; publish a higher version.",
    },
    {
      name: 'the same version again with other bytes',
      prepare: async (work) => {
        await release(work, 'buf', '1.32.0', server.manifest('buf', '1.32.0', { hash: 'a'.repeat(64) }));
        return ['beta'];
      },
      says: "buf: 1.32.0 is not an update of 1.32.0 in Scoop's order of versions",
    },
    {
      name: 'a chore that changes a version',
      prepare: async (work) => chore(work, 'bucket/buf.json', server.manifest('buf', '1.33.0-beta.1')),
      says: 'a (chore) changes no version and no hash, but this one does for buf.',
    },
    {
      name: 'a chore that changes a hash',
      prepare: async (work) =>
        chore(
          work,
          'bucket/buf.json',
          server.manifest('buf', '1.32.0', { hash: 'a'.repeat(64), base: 'https://other.example' }),
        ),
      says: 'a (chore) changes no version and no hash, but this one does for buf.',
    },
    {
      name: 'a chore that brings a tool',
      prepare: async (work) => chore(work, 'bucket/delve.json', server.manifest('delve', '1.22.0-beta.1')),
      says: 'a (chore) changes no version and no hash, but this one does for delve.',
    },
    {
      name: 'a tool that vanishes',
      prepare: async (work) => {
        await git.run(work, 'rm', '-q', 'bucket/buf.json');
        await git.run(work, 'commit', '-q', '-m', '(chore): Retire buf');
        return ['beta'];
      },
      says: 'a (chore) changes no version and no hash, but this one does for buf.',
    },
    {
      name: 'a manifest that is not JSON',
      prepare: async (work) => {
        await release(work, 'delve', '1.22.0-beta.1', '{ "version": "1.22.0-beta.1", }\n');
        return ['beta'];
      },
      says: /bucket\/delve\.json: .*JSON/,
    },
    {
      name: "a key that Scoop's schema does not know",
      prepare: async (work) => {
        const text = edited('delve', '1.22.0-beta.1', (one) =>
          one.replace('"license"', '"preinstall": "x",\n    "license"'),
        );
        await release(work, 'delve', '1.22.0-beta.1', text);
        return ['beta'];
      },
      says: /bucket\/delve\.json: .*preinstall/,
    },
    {
      name: 'another formatting',
      prepare: async (work) => {
        const text = edited(
          'delve',
          '1.22.0-beta.1',
          (one) => `${JSON.stringify(JSON.parse(one), null, 2)}\n`,
        );
        await release(work, 'delve', '1.22.0-beta.1', text);
        return ['beta'];
      },
      says: "bucket/delve.json: it does not have Scoop's formatting",
    },
    {
      name: 'a label that Scoop sorts wrongly',
      prepare: async (work) => {
        await release(work, 'delve', '1.22.0-canary.1');
        return ['beta'];
      },
      says: 'the version "1.22.0-canary.1" is not like 1.2.3, 1.2.3.1 or 1.2.3-beta.1',
    },
    {
      name: 'a leading v',
      prepare: async (work) => {
        await release(work, 'delve', 'v1.22.0');
        return ['beta'];
      },
      says: 'the version "v1.22.0" is not like 1.2.3',
    },
    {
      name: 'build metadata',
      prepare: async (work) => {
        await release(work, 'delve', '1.22.0+build.5');
        return ['beta'];
      },
      says: 'the version "1.22.0+build.5" is not like 1.2.3',
    },
    {
      name: 'a prerelease on main',
      prepare: async (work) => {
        await release(work, 'delve', '1.22.0-beta.1');
        await git.run(work, 'switch', '-q', 'main');
        await release(work, 'delve', '1.22.0-beta.1');
        return ['main', 'beta'];
      },
      says: 'bucket/delve.json: the prerelease 1.22.0-beta.1 belongs on the branch beta.',
    },
    {
      name: 'a stable version on main alone',
      prepare: async (work) => {
        await git.run(work, 'switch', '-q', 'main');
        await release(work, 'buf', '1.33.0');
        return ['main'];
      },
      says: 'beta must offer at least what main offers: buf 1.33.0 on main, 1.32.0 on beta.',
    },
    {
      name: 'one version with two contents',
      prepare: async (work) => {
        const foreign = { hash: 'a'.repeat(64), base: 'https://other.example' };
        await release(work, 'buf', '1.33.0', server.manifest('buf', '1.33.0', foreign));
        await git.run(work, 'switch', '-q', 'main');
        await release(work, 'buf', '1.33.0');
        return ['main', 'beta'];
      },
      says: 'buf 1.33.0 has other hashes on beta than on main: a version must have the same bytes everywhere.',
    },
    {
      name: 'a payload that is not there',
      prepare: async (work) => {
        const text = edited('delve', '1.22.0-beta.1', (one) =>
          one.replace('/delve-windows-amd64.exe#/', '/delve-windows-arm64.exe#/'),
        );
        await release(work, 'delve', '1.22.0-beta.1', text);
        return ['beta'];
      },
      says: /delve-windows-arm64\.exe#\/delve\.exe" does not exist: upload the payload first/,
    },
    {
      name: 'a hash that is not the payload’s',
      prepare: async (work) => {
        await release(
          work,
          'delve',
          '1.22.0-beta.1',
          server.manifest('delve', '1.22.0-beta.1', { hash: 'b'.repeat(64) }),
        );
        return ['beta'];
      },
      says: `the hash for 64bit is ${'b'.repeat(64)}, but the payload at its url has ${createHash('sha256').update('delve 1.22.0-beta.1 delve-windows-amd64.exe').digest('hex')}`,
    },
    {
      name: 'a hash of another kind than SHA-256',
      prepare: async (work) => {
        await release(
          work,
          'delve',
          '1.22.0-beta.1',
          server.manifest('delve', '1.22.0-beta.1', { hash: `sha1:${'b'.repeat(40)}` }),
        );
        return ['beta'];
      },
      says: 'the url for 64bit has no SHA-256 as its hash.',
    },
    {
      name: 'a manifest without 64bit',
      prepare: async (work) => {
        await release(
          work,
          'delve',
          '1.22.0-beta.1',
          edited('delve', '1.22.0-beta.1', (one) => one.replaceAll('"64bit"', '"arm64"')),
        );
        return ['beta'];
      },
      says: 'bucket/delve.json: there is no url for the architecture 64bit.',
    },
    {
      name: 'a tag on a commit that is no release',
      prepare: async () => ['beta~2:refs/tags/buf/v1.0.0'],
      says: 'buf/v1.0.0 must be on the commit "buf: Update to version 1.0.0" that makes bucket/buf.json have this version.',
    },
    {
      name: 'a tag whose commit is on no branch',
      prepare: async (work) => {
        await release(work, 'buf', '1.33.0-beta.1');
        return ['beta:refs/tags/buf/v1.33.0-beta.1'];
      },
      says: 'buf/v1.33.0-beta.1 must be on a commit of beta: push beta together with it (git push --atomic).',
    },
    {
      name: 'a stable tag that is on beta only',
      prepare: async (work) => {
        await release(work, 'buf', '1.33.0');
        return ['beta', 'beta:refs/tags/buf/v1.33.0'];
      },
      says: 'buf/v1.33.0 must be on a commit of main: push main together with it (git push --atomic).',
    },
    {
      name: 'a README that vanishes',
      prepare: async (work) => {
        await git.run(work, 'rm', '-q', 'README.md');
        await git.run(work, 'commit', '-q', '-m', '(chore): Remove the README');
        return ['beta'];
      },
      says: 'README.md must stay.',
    },
    {
      name: 'other attributes',
      prepare: async (work) => chore(work, '.gitattributes', '* text eol=crlf\n'),
      says: '".gitattributes" must be the one line "* text=auto eol=crlf", at the root only.',
    },
    {
      name: 'attributes in a folder',
      prepare: async (work) => chore(work, 'docs/.gitattributes', '* text=auto eol=crlf\n'),
      says: '"docs/.gitattributes" must be the one line "* text=auto eol=crlf", at the root only.',
    },
    {
      name: 'an empty file',
      prepare: async (work) => chore(work, 'NOTES.md', ''),
      says: '"NOTES.md" is empty.',
    },
    {
      name: 'CRLF in a blob',
      prepare: async (work) => {
        await git.run(work, 'config', 'core.autocrlf', 'false');
        const oid = await git.hashBlob(work, 'one\r\ntwo\r\n');
        return plumb(work, '100644', 'NOTES.md', oid);
      },
      says: '"NOTES.md" has CRLF line ends; commit it with LF.',
    },
    {
      name: 'a symbolic link',
      prepare: async (work) => plumb(work, '120000', 'link', await git.hashBlob(work, '/etc/passwd')),
      says: '"link" is not a plain file.',
    },
    {
      name: 'a submodule',
      prepare: async (work) => plumb(work, '160000', 'module', await git.run(work, 'rev-parse', 'HEAD')),
      says: '"module" is not a plain file.',
    },
    {
      name: 'a folder of manifests',
      prepare: async (work) => chore(work, 'bucket/more/buf.json', '{}\n'),
      says: '"bucket/more/buf.json" is not TOOL.json in lower case; bucket/ may contain nothing else, and no folders.',
    },
    {
      name: 'a manifest in upper case',
      prepare: async (work) =>
        plumb(work, '100644', 'bucket/Buf.json', await git.run(work, 'rev-parse', 'HEAD:bucket/buf.json')),
      says: '"bucket/Buf.json" is not TOOL.json in lower case',
    },
    {
      name: 'a name that Windows reserves',
      prepare: async (work) => plumb(work, '100644', 'docs/aux.md', await git.hashBlob(work, 'x\n')),
      says: '"docs/aux.md" has a name that is not plain ASCII, or that Windows does not allow.',
    },
    {
      name: 'names that differ in case only',
      prepare: async (work) => plumb(work, '100644', 'readme.md', await git.hashBlob(work, 'x\n')),
      says: '"readme.md" appears twice, in names that differ in case only.',
    },
    {
      name: 'a file of 2 MiB',
      prepare: async (work) => chore(work, 'big.txt', 'x'.repeat(2 * 1024 * 1024)),
      says: /The blob [0-9a-f]{40} has 2097152 bytes; at most 1048576 are accepted\./,
    },
    {
      name: 'main with a key for beta',
      key: 'key-beta',
      prepare: async (work) => {
        await release(work, 'buf', '1.33.0');
        await git.run(work, 'switch', '-q', 'main');
        await release(work, 'buf', '1.33.0');
        return ['main', 'beta'];
      },
      says: 'This key may not push main: it needs the scope push.',
    },
    {
      name: 'main alone with a key for beta, even where nothing changes a manifest',
      key: 'key-beta',
      prepare: async (work) => {
        await git.run(work, 'switch', '-q', 'main');
        await chore(work, 'README.md', '# Mine\n');
        return ['main'];
      },
      says: 'This key may not push main: it needs the scope push.',
    },
    {
      name: 'a stable version on branch beta with a key for beta',
      key: 'key-beta',
      prepare: async (work) => {
        await release(work, 'buf', '1.33.0');
        return ['beta'];
      },
      says: 'This key may not push the stable version 1.33.0 to beta for buf: it needs the scope push.',
    },
    {
      name: 'a stable version on branch beta that a later beta hides, with a key for beta',
      key: 'key-beta',
      prepare: async (work) => {
        await release(work, 'buf', '1.33.0');
        await release(work, 'buf', '1.34.0-beta.1');
        return ['beta'];
      },
      says: 'This key may not push the stable version 1.33.0 to beta for buf: it needs the scope push.',
    },
    {
      name: 'a stable tag on a commit that is there, with a key for beta',
      key: 'key-beta',
      prepare: async (work) => {
        await git.run(work, 'tag', '-f', 'buf/v1.32.0.1', 'origin/main');
        return ['buf/v1.32.0.1'];
      },
      says: 'This key may not push buf/v1.32.0.1 for buf: it needs the scope push.',
    },
    {
      name: 'a stable tag that looks like a beta by its metadata, with a key for beta',
      key: 'key-beta',
      prepare: async (work) => {
        await git.run(work, 'tag', 'buf/v1.32.0+x-beta', 'origin/main');
        return ['buf/v1.32.0+x-beta'];
      },
      says: 'This key may not push buf/v1.32.0+x-beta for buf: it needs the scope push.',
    },
    {
      name: 'a move of a stable tag with a key for beta',
      key: 'key-beta',
      prepare: async () => ['+beta:refs/tags/buf/v1.32.0'],
      says: 'This key may not push buf/v1.32.0 for buf: it needs the scope push.',
    },
    {
      name: 'the end of a stable tag with a key for beta',
      key: 'key-beta',
      prepare: async () => [':refs/tags/buf/v1.32.0'],
      says: 'This key may not push buf/v1.32.0 for buf: it needs the scope push.',
    },
    {
      name: 'another tool with a key for buf',
      key: 'key-buf',
      prepare: async (work) => {
        await release(work, 'delve', '1.22.0-beta.1');
        return ['beta'];
      },
      says: 'This key may not push beta for delve: it is limited to buf.',
    },
    {
      name: 'the README with a key for buf',
      key: 'key-buf',
      prepare: async (work) => chore(work, 'README.md', '# Mine\n'),
      says: 'This key may not push beta: it is limited to buf, and this belongs to all tools. Use a key without ids.',
    },
  ];

  it.each(cases)(
    'refuse $name and leave everything as it was',
    async ({ prepare, says, key = 'key-push' }) => {
      const work = await freshClone();
      const before = await refs();
      const pusher = await createGitClient(server.dir, key);

      const refspecs = await prepare(work);
      const { code, stderr } = await pusher.try(work, 'push', 'origin', ...refspecs);

      expect(code, stderr).not.toBe(0);
      expect(remoteLines(stderr)).toContain('The bucket refuses this push; nothing was changed.');
      expect(remoteLines(stderr)).toMatch(says instanceof RegExp ? says : literally(says));
      expect(await refs()).toBe(before);
    },
  );

  it('take a beta of one tool with a key for that tool, and its tag', async () => {
    const work = await freshClone();
    const pusher = await createGitClient(server.dir, 'key-buf');
    await release(work, 'buf', '1.33.0-beta.1');
    await git.run(work, 'tag', '-a', '-m', 'annotated', 'buf/v1.33.0-beta.1');

    await pusher.run(work, 'push', '--atomic', 'origin', 'beta', 'buf/v1.33.0-beta.1');

    expect(await refs()).toContain('refs/tags/buf/v1.33.0-beta.1');
  });

  it('take a new base address for all manifests in one chore', async () => {
    const work = await freshClone();
    const offered = (await server.bucket.readManifest('beta', 'buf'))!;
    const moved = offered.text.replaceAll(server.url, 'https://feed.example');

    await git.commit(work, '(chore): Move to https://feed.example', { 'bucket/buf.json': moved });
    await git.run(work, 'push', 'origin', 'beta');

    expect(await server.bucket.readManifest('beta', 'buf')).toEqual({ ...offered, text: moved });
  });

  it('refuse a push whose base has moved meanwhile, and accept it after a rebase', async () => {
    const [first, second] = [await freshClone(), await freshClone()];
    await git.commit(first, '(chore): Say one thing', { 'ONE.md': 'one\n' });
    await git.commit(second, '(chore): Say another', { 'TWO.md': 'two\n' });
    await git.run(first, 'push', 'origin', 'beta');

    const late = await git.try(second, 'push', 'origin', 'beta');
    await git.run(second, 'pull', '-q', '--rebase');
    const again = await git.try(second, 'push', 'origin', 'beta');

    expect(late.code).not.toBe(0);
    expect(again.code, again.stderr).toBe(0);
  });

  it('name every fault of a push at once', async () => {
    const work = await freshClone();
    await release(work, 'buf', '1.31.0', server.manifest('buf', '1.31.0', { hash: 'c'.repeat(64) }));
    await git.commit(work, 'Improve things', { 'NOTES.md': '' });

    const { stderr } = await git.try(work, 'push', 'origin', 'beta');

    expect(
      remoteLines(stderr)
        .split('\n')
        .filter((line) => line.startsWith('- ')),
    ).toEqual([
      expect.stringMatching(/"NOTES.md" is empty/),
      expect.stringMatching(/neither "TOOL: Update to version VERSION"/),
      expect.stringMatching(/1\.31\.0 is not an update of/),
      expect.stringMatching(/the hash for 64bit is/),
      expect.stringMatching(/beta must offer at least what main offers/),
    ]);
  });
});

function remoteLines(stderr: string): string {
  return stderr
    .split('\n')
    .filter((line) => line.startsWith('remote: '))
    .map((line) => line.slice('remote: '.length).trim())
    .join('\n');
}

function literally(text: string): RegExp {
  return new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
}
