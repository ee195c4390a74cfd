import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { settingVariables } from '../../formats/git-settings.ts';
import { mustRun, type RunResult, run } from './programs.ts';

/** A person's git with settings of its own in `dir`, as Scoop and the generator use it: it never asks for anything. */
export type GitClient = {
  readonly dir: string;
  /** Runs to the end, whatever the exit code. */
  try(cwd: string, ...args: string[]): Promise<RunResult>;
  /** Must succeed; answers with its trimmed output. */
  run(cwd: string, ...args: string[]): Promise<string>;
  /** Clones into a new folder and answers with it. `options` are git's own, before `clone`: `-c`, ... */
  clone(url: string, name: string, ...options: string[]): Promise<string>;
  /** Writes files, commits them with the message, and answers with the commit's id. */
  commit(cwd: string, subject: string, files: Readonly<Record<string, string | Buffer>>): Promise<string>;
  /** Stores exactly these bytes, whatever the attributes say; answers with the blob's id. */
  hashBlob(cwd: string, content: string): Promise<string>;
};

/** `key`: sent as a Bearer token, as the generator does. */
export async function createGitClient(dir: string, key?: string): Promise<GitClient> {
  const home = join(dir, `git-home-${key ?? 'anonymous'}`);
  await mkdir(home, { recursive: true });
  const env: NodeJS.ProcessEnv = {
    HOME: home,
    USERPROFILE: home,
    XDG_CONFIG_HOME: home,
    GIT_CONFIG_NOSYSTEM: '1',
    // Two processes less at each commit, fetch and push.
    ...settingVariables({}, [
      ['maintenance.auto', 'false'],
      ['gc.auto', '0'],
    ]),
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '',
    SSH_ASKPASS: '',
    GIT_AUTHOR_NAME: 'A Tester',
    GIT_AUTHOR_EMAIL: 'tester@localhost',
    GIT_COMMITTER_NAME: 'A Tester',
    GIT_COMMITTER_EMAIL: 'tester@localhost',
    http_proxy: '',
    https_proxy: '',
    LC_ALL: 'C',
  };
  const settings = key === undefined ? [] : ['-c', `http.extraHeader=Authorization: Bearer ${key}`];
  const client: GitClient = {
    dir,
    try: (cwd, ...args) => run('git', [...settings, ...args], { cwd, env }),
    run: async (cwd, ...args) => (await mustRun('git', [...settings, ...args], { cwd, env })).trim(),
    async clone(url, name, ...options) {
      await client.run(dir, ...options, 'clone', '--quiet', url, name);
      return join(dir, name);
    },
    async commit(cwd, subject, files) {
      for (const [path, content] of Object.entries(files)) {
        await mkdir(dirname(join(cwd, path)), { recursive: true });
        await writeFile(join(cwd, path), content);
      }
      await client.run(cwd, 'add', '--all', '--', ...Object.keys(files));
      await client.run(cwd, 'commit', '--quiet', '--allow-empty', '--message', subject);
      return client.run(cwd, 'rev-parse', 'HEAD');
    },
    async hashBlob(cwd, content) {
      const args = ['hash-object', '-w', '--no-filters', '--stdin'];
      return (await mustRun('git', args, { cwd, env, input: content })).trim();
    },
  };
  return client;
}
