import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fastImport } from '../../formats/fast-import.ts';
import { type Git, runGit, withSettings } from './git-backend.ts';
import { installHooks } from './hook.ts';
import { channels } from './push.ts';
import { readRef } from './refs.ts';
import { seed } from './seed.ts';

/**
 * Makes what is missing of the bucket's folder, and mends what a killed process left. Every step may be repeated.
 *
 *     bucket/
 *       repo.git/          the one repository: branches main and beta, tags TOOL/vVERSION
 *         hooks/           which ask the server before refs move, and see that it was these that moved
 *         go-win-tools.config
 *       main.git/  beta.git/
 *         HEAD             ref: refs/heads/main (beta)
 *         commondir        ../repo.git: everything but HEAD is there (spec scoop 9.1)
 *
 * @throws FeedError GIT_MISSING, GIT_FAILED
 */
export async function ensureRepository(bucketDir: string, git: Git): Promise<void> {
  await initRepository(git);
  await writeFile(join(git.dir, settingsFile), settings);
  await includeSettings(git);
  await removeLeftovers(git.dir);
  await installHooks(git.dir);
  await ensureBranches(git);
  for (const channel of channels) {
    const view = join(bucketDir, `${channel}.git`);
    await mkdir(view, { recursive: true });
    await writeFile(join(view, 'HEAD'), `ref: refs/heads/${channel}\n`);
    await writeFile(join(view, 'commondir'), '../repo.git\n');
  }
}

/**
 * The repository as it is served: our settings and hooks override its own configuration. Without this, a `core.hooksPath` there
 * would bypass all rules.
 */
export function asServed(git: Git): Git {
  return withSettings(git, [
    ['include.path', resolve(git.dir, settingsFile)],
    ['core.hooksPath', resolve(git.dir, 'hooks')],
  ]);
}

const settingsFile = 'go-win-tools.config';

/** git is asked only where `config` lacks the line: a process costs a start more than a look into the file. */
async function includeSettings(git: Git): Promise<void> {
  const config = await readFile(join(git.dir, 'config'), 'utf8');
  if (config.includes(`\tpath = ${settingsFile}\n`)) return;
  await runGit(git, ['config', '--replace-all', 'include.path', settingsFile]);
}

/**
 * Makes an empty bare repository without this machine's templates; an existing one stays as it is.
 * @throws FeedError GIT_MISSING, GIT_FAILED
 */
export async function initRepository(git: Git): Promise<void> {
  await mkdir(git.dir, { recursive: true });
  const init = [
    'init',
    '--quiet',
    '--bare',
    '--template=',
    '--object-format=sha1',
    '--initial-branch=main',
    '.',
  ];
  await runGit(git, init);
}

/** Whether all is there that `initRepository` makes, the last of which are the folders of objects: then git need not be started for it. */
export async function isInitialized(repoDir: string): Promise<boolean> {
  try {
    const [head, config] = await Promise.all(
      ['HEAD', 'config'].map((name) => readFile(join(repoDir, name), 'utf8')),
    );
    const folders = ['refs', 'objects/info', 'objects/pack'].map((name) => stat(join(repoDir, name)));
    const areFolders = (await Promise.all(folders)).every((folder) => folder.isDirectory());
    return areFolders && head === 'ref: refs/heads/main\n' && config?.includes('\tbare = true\n') === true;
  } catch {
    return false;
  }
}

const settings = `# Written by go-win-tools at each start; changes are lost.
[core]
	# A push that was answered survives a power cut.
	fsync = all
	logAllRefUpdates = always
	# No file of a bucket is this large; larger ones pass through git in pieces.
	bigFileThreshold = 1m
	packedGitWindowSize = 16m
	packedGitLimit = 128m
	deltaBaseCacheLimit = 16m
[pack]
	# Threads multiply what a process may need; a bucket is small.
	threads = 1
	windowMemory = 64m
	deltaCacheSize = 32m
[http]
	receivepack = true
	getanyfile = false
[receive]
	denyNonFastForwards = true
	denyDeletes = true
	fsckObjects = true
	maxInputSize = 32m
	# The server packs by itself once a push is over.
	autogc = false
[transfer]
	# Where commits are until the branches move to them.
	hideRefs = refs/go-win-tools
[gc]
	# Nothing published is ever pruned, and the server waits for the end of packing: nothing outlives it.
	auto = 2000
	autoDetach = false
	pruneExpire = never
	reflogExpire = never
	reflogExpireUnreachable = never
[maintenance]
	autoDetach = false
`;

/** The holder of the data folder's lock is alone here, so locks and partial pushes were left by a killed process. */
export async function removeLeftovers(repoDir: string): Promise<void> {
  const entries = await readdir(repoDir, { recursive: true });
  const leftovers = entries.filter((name) =>
    /^((refs|logs)[\\/].*\.lock|(HEAD|config|packed-refs)\.lock|gc\.pid(\.lock)?|hooks[\\/]accepted-[^\\/]+|objects[\\/](tmp_objdir-[^\\/]+|incoming-[^\\/]+))$/.test(
      name,
    ),
  );
  for (const name of leftovers) {
    await rm(join(repoDir, name), { recursive: true, force: true });
  }
}

/**
 * Both branches begin at the same commit. If only one is missing and the other has moved on, the bucket is damaged and not new.
 */
async function ensureBranches(git: Git): Promise<void> {
  const tips = await Promise.all(channels.map((channel) => readRef(git.dir, `refs/heads/${channel}`)));
  if (tips.every((tip) => tip !== undefined)) {
    return;
  }
  const root = await writeRoot(git);
  const isBeginning = tips.every((tip) => tip === undefined || tip === root);
  const heads = isBeginning ? channels.map((channel) => `update refs/heads/${channel} ${root}\n`) : [];
  const input = [...heads, `delete ${rootRef}\n`].join('');
  await runGit(git, ['update-ref', '--stdin'], { input, env: identity });
}

/** Of the reflog, instead of this machine's account. */
const identity = {
  GIT_COMMITTER_NAME: seed.identity.name,
  GIT_COMMITTER_EMAIL: seed.identity.email,
  GIT_COMMITTER_DATE: seed.date,
};

/** Where the first commit is until the branches begin there. */
const rootRef = 'refs/go-win-tools/root';

async function writeRoot(git: Git): Promise<string> {
  const { identity: author, date, subject } = seed;
  const files = new Map(Object.entries(seed.files));
  const input = fastImport([{ ref: rootRef, author, date, message: `${subject}\n`, files }]);
  return (await runGit(git, ['fast-import', '--quiet', '--done', '--force'], { input, env: identity }))
    .toString()
    .trim();
}
