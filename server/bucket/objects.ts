import { fail } from '../errors.ts';
import { type Environment, endGit, type Git, runGit, startGit, whenEnded } from './git-backend.ts';

type GitObject = {
  readonly oid: string;
  readonly kind: 'commit' | 'tree' | 'blob' | 'tag';
  readonly bytes: Buffer;
};
export type Commit = {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly subject: string;
  /** The encoding that the commit names for its message; `subject` is read as UTF-8 regardless. */
  readonly encoding: string | undefined;
};
export type TreeEntry = { readonly mode: string; readonly name: string; readonly oid: string };

/** One `git cat-file --batch`: objects are requested one after the other. */
export interface ObjectReader {
  /**
   * Reads an object by any name that git accepts (`OID`, `refs/heads/main`, `OID:bucket/buf.json`); undefined if it does not
   * exist.
   * @throws FeedError PUSH_TOO_LARGE above a limit, which also closes the reader; GIT_FAILED
   */
  read(name: string): Promise<GitObject | undefined>;
  close(): void;
}

/** Limits for one object, and for all together: a small pack can unpack to more than fits into memory. */
type ObjectLimits = { readonly maxBytes?: number; readonly maxTotalBytes?: number };

export function openObjects(git: Git, env: Environment = {}, limits: ObjectLimits = {}): ObjectReader {
  const { maxBytes = 1024 * 1024, maxTotalBytes = Number.POSITIVE_INFINITY } = limits;
  let totalBytes = 0;
  const child = startGit(git, ['cat-file', '--batch'], env);
  const ended = whenEnded(child);
  const output = child.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let held: Buffer = Buffer.alloc(0);
  let previous: Promise<unknown> = Promise.resolve();

  async function more(): Promise<void> {
    const { value, done } = await output.next();
    if (done === true) {
      const { code, stderr } = await ended;
      fail('GIT_FAILED', {}, new Error(`git cat-file ended with ${code}: ${stderr}`));
    }
    held = Buffer.concat([held, value]);
  }

  async function take(bytes: number): Promise<Buffer> {
    while (held.length < bytes) {
      await more();
    }
    const taken = held.subarray(0, bytes);
    held = held.subarray(bytes);
    return taken;
  }

  async function takeLine(): Promise<string> {
    while (!held.includes('\n')) {
      await more();
    }
    return (await take(held.indexOf('\n') + 1)).toString('utf8').trimEnd();
  }

  async function ask(name: string): Promise<GitObject | undefined> {
    child.stdin.write(`${name}\n`);
    const header = /^([0-9a-f]{40,64}) (commit|tree|blob|tag) (\d+)$/.exec(await takeLine());
    if (header === null) {
      return undefined;
    }
    const [, oid = '', kind, size] = header;
    if (Number(size) > maxBytes) {
      endGit(child);
      fail('PUSH_TOO_LARGE', { what: `The ${kind} ${oid}`, found: `${size} bytes`, limit: maxBytes });
    }
    totalBytes += Number(size);
    if (totalBytes > maxTotalBytes) {
      endGit(child);
      fail('PUSH_TOO_LARGE', {
        what: 'The push',
        found: `more than ${maxTotalBytes} bytes to read, unpacked,`,
        limit: maxTotalBytes,
      });
    }
    const bytes = Buffer.from(await take(Number(size)));
    await take(1);
    return { oid, kind: kind as GitObject['kind'], bytes };
  }

  return {
    read(name) {
      if (/[\n\r\0]/.test(name)) {
        return Promise.resolve(undefined);
      }
      const answer = previous.then(() => ask(name));
      previous = answer.catch(() => undefined);
      return answer;
    },
    close() {
      child.stdin.end();
      endGit(child);
    },
  };
}

/** Those of some names (`OID`, `OID^{tree}`) that git does not find, by one process. @throws FeedError GIT_FAILED, GIT_MISSING */
export async function findMissing(git: Git, names: readonly string[]): Promise<ReadonlySet<string>> {
  const input = [...new Set(names)].map((name) => `${name}\n`).join('');
  const lines = (await runGit(git, ['cat-file', '--batch-check'], { input })).toString().split('\n');
  return new Set(
    lines.filter((line) => line.endsWith(' missing')).map((line) => line.split(' ', 1)[0] ?? ''),
  );
}

/** The parts of a commit object that the bucket's rules need. */
export function parseCommit(bytes: Buffer): Commit {
  const text = bytes.toString('utf8');
  const headEnd = text.indexOf('\n\n');
  const head = (headEnd === -1 ? text : text.slice(0, headEnd)).split('\n');
  // As git reads it: the tree, then the parents. Similar lines further down do not count.
  const [first = '', ...others] = head;
  const end = others.findIndex((line) => !line.startsWith('parent '));
  const parents = end === -1 ? others : others.slice(0, end);
  const message = headEnd === -1 ? '' : text.slice(headEnd + 2);
  return {
    tree: first.startsWith('tree ') ? first.slice('tree '.length) : '',
    parents: parents.map((line) => line.slice('parent '.length)),
    subject: subjectOf(message),
    // The first line with that name, wherever it is (git's commit.c, find_commit_header).
    encoding: head.find((line) => line.startsWith('encoding '))?.slice('encoding '.length),
  };
}

/** The object that an annotated tag points to. */
export function parseTag(bytes: Buffer): { readonly oid: string; readonly kind: string } {
  const [, oid = '', kind = ''] = /^object ([0-9a-f]+)\ntype (\w+)\n/.exec(bytes.toString('utf8')) ?? [];
  return { oid, kind };
}

/** The entries of a tree object: `MODE NAME\0` and the raw object id, again and again. */
export function parseTree(bytes: Buffer, oidBytes = 20): TreeEntry[] {
  const entries: TreeEntry[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = bytes.indexOf(0, at);
    if (end === -1) {
      fail('GIT_FAILED', {}, new Error('a tree object is damaged'));
    }
    const head = bytes.toString('utf8', at, end);
    const space = head.indexOf(' ');
    entries.push({
      mode: head.slice(0, space).padStart(6, '0'),
      name: head.slice(space + 1),
      oid: bytes.toString('hex', end + 1, end + 1 + oidBytes),
    });
    at = end + 1 + oidBytes;
  }
  return entries;
}

/** The first line of a commit's message. */
export function subjectOf(message: string): string {
  return message.trimStart().split('\n')[0]?.trimEnd() ?? '';
}
