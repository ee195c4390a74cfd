import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fastImport, type NewCommit } from '../../formats/fast-import.ts';
import { createGitClient, type GitClient } from '../kit/git.ts';
import { mustRun } from '../kit/programs.ts';
import { makeTempDir } from '../kit/test-server.ts';

const author = { name: 'A Tester', email: 'tester@localhost' };
const date = '1767225600 +0000';

describe('the input for git fast-import', () => {
  let dir: string;
  let git: GitClient;
  beforeAll(async () => {
    dir = await makeTempDir();
    git = await createGitClient(dir);
    await git.run(dir, 'init', '--quiet', '--initial-branch=main', '.');
  });
  afterAll(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));

  async function write(...commits: NewCommit[]): Promise<string[]> {
    const args = ['fast-import', '--quiet', '--done', '--force'];
    const ids = await mustRun('git', args, { cwd: dir, input: fastImport(commits) });
    return ids.trim().split('\n');
  }

  it('makes the commit that git makes of the same parts', async () => {
    const env = { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date };
    const names = { GIT_AUTHOR_NAME: author.name, GIT_COMMITTER_NAME: author.name };
    const emails = { GIT_AUTHOR_EMAIL: author.email, GIT_COMMITTER_EMAIL: author.email };
    const files = { 'a.txt': 'one\n', 'b/c.txt': 'J\u00fcrgen, without a line end', 'b/d.txt': '' };
    await git.commit(dir, 'not this one', files);
    const tree = await git.run(dir, 'rev-parse', 'HEAD^{tree}');
    const message = 'A subject with \u{1F600}\n\nand a body\n';
    const theirs = await mustRun('git', ['commit-tree', tree, '-F', '-'], {
      cwd: dir,
      env: { ...env, ...names, ...emails },
      input: message,
    });

    const ours = await write({ ref: 'refs/x', author, date, message, files: new Map(Object.entries(files)) });

    expect(ours).toEqual([theirs.trim()]);
  });

  it('changes and removes files of a parent, and leaves the others', async () => {
    const [first] = await write({
      ref: 'refs/y',
      author,
      date,
      message: 'one\n',
      files: new Map([
        ['kept', 'kept\n'],
        ['old', 'old\n'],
        ['gone/x', 'x\n'],
      ]),
    });
    const next = (ref: string, text: string): NewCommit => ({
      ref,
      parent: first,
      author,
      date,
      message: 'two\n',
      files: new Map([
        ['old', text],
        ['gone/x', undefined],
        ['never/there', undefined],
      ]),
    });

    const [second = '', third = ''] = await write(next('refs/y', 'new\n'), next('refs/z', 'newer\n'));

    expect(await git.run(dir, 'ls-tree', '-r', '--name-only', second)).toBe('kept\nold');
    expect(await git.run(dir, 'show', `${third}:old`)).toBe('newer');
    expect(await git.run(dir, 'rev-parse', `${third}^`)).toBe(first);
    expect(await git.run(dir, 'fsck', '--strict')).toBe('');
  });
});
