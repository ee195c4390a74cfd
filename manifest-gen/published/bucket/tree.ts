import type { Git } from './git.ts';

/** Trees and commits of a bucket, written straight into git's store: nothing is ever checked out. */
const identity = { name: 'go-win-tools', email: 'go-win-tools@localhost' };
/** For a bucket at another host that is empty yet; ours begins with the server's own root commit. */
const firstFiles = {
  '.gitattributes': '* text=auto eol=crlf\n',
  'README.md': '# go-win-tools\n\nA Scoop bucket, written by go-win-tools. Nobody edits it by hand.\n',
};

/** The first commit of a bucket. */
export async function writeRoot(git: Git, when: Date): Promise<string> {
  const entries = new Map<string, string>();
  for (const [name, text] of Object.entries(firstFiles)) {
    const blob = await git.run(['hash-object', '-w', '--stdin'], { input: text });
    entries.set(name, `100644 blob ${blob}`);
  }
  return commitTree(git, [await makeTree(git, entries), '-m', '(chore): Begin the bucket'], when);
}

/** The parent's tree with other manifests. */
export async function treeWith(
  git: Git,
  parent: string,
  texts: ReadonlyMap<string, string>,
): Promise<string> {
  const top = await list(git, parent);
  const bucket = top.has('bucket') ? await list(git, `${parent}:bucket`) : new Map<string, string>();
  for (const [tool, input] of texts) {
    const blob = await git.run(['hash-object', '-w', '--stdin'], { input });
    bucket.set(`${tool}.json`, `100644 blob ${blob}`);
  }
  // `scoop bucket list` counts every file there as a manifest (Scoop lib/buckets.ps1 list_buckets).
  if (bucket.size > 1) bucket.delete('.gitkeep');
  top.set('bucket', `040000 tree ${await makeTree(git, bucket)}`);
  return makeTree(git, top);
}

/** Name -> `MODE TYPE OID`. A missing path gives an empty list. */
export async function list(
  git: Git,
  tree: string,
  ...paths: readonly string[]
): Promise<Map<string, string>> {
  const entries = (await git.run(['ls-tree', '-z', tree, ...paths]))
    .split('\0')
    .filter((line) => line !== '');
  return new Map(
    entries.map((line) => [line.slice(line.indexOf('\t') + 1), line.slice(0, line.indexOf('\t'))]),
  );
}

function makeTree(git: Git, entries: ReadonlyMap<string, string>): Promise<string> {
  return git.run(['mktree', '-z'], {
    input: [...entries].map(([name, entry]) => `${entry}\t${name}\0`).join(''),
  });
}

/** `args`: those of git commit-tree. Author and date are ours, so that the same content is the same commit. */
export function commitTree(git: Git, args: readonly string[], when: Date): Promise<string> {
  const date = `${Math.floor(when.getTime() / 1000)} +0000`;
  const env = Object.fromEntries(
    ['AUTHOR', 'COMMITTER'].flatMap((who) => [
      [`GIT_${who}_NAME`, identity.name],
      [`GIT_${who}_EMAIL`, identity.email],
      [`GIT_${who}_DATE`, date],
    ]),
  );
  return git.run(['commit-tree', ...args], { env });
}
