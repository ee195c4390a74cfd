import type { Approvals } from '../feed/approvals.ts';
import type { Principal } from '../keys/api-keys.ts';
import type { ManifestFile } from './manifest-file.ts';

export type Channel = 'main' | 'beta';
export const channels = ['main', 'beta'] as const satisfies readonly Channel[];

/** What a push asks for, known before any of its objects. */
export type PushCommands = {
  readonly pusher: Principal;
  /** The setting RESERVED_IDS. */
  readonly reservedIds: readonly string[];
  /** The setting APPROVALS. */
  readonly approvals: Approvals;
  /** One per ref. */
  readonly updates: readonly RefUpdate[];
  /** Whether git applies all updates or none. */
  readonly isAtomic: boolean;
  /** Whether it comes from a shallow clone. */
  readonly isShallow: boolean;
};

/** A push as the rules see it: the bucket as it would be after the push. Nothing in it is trusted. */
export type Push = PushCommands & {
  /** The branches that the push moves. */
  readonly advances: readonly Advance[];
  /** What each channel would offer afterwards, whether the push moves it or not. */
  readonly offers: Readonly<Record<Channel, ReadonlyMap<string, ManifestFile>>>;
  readonly tags: readonly NewTag[];
  readonly payloads: KnownPayloads;
  /** `delve 1.22.0`, in the manifest's own words: what is held for a rollout. */
  readonly held: ReadonlySet<string>;
};

/** Object ids in hex; undefined for a ref that does not exist (yet, or any more). */
export type RefUpdate = {
  readonly ref: string;
  /** The ref's value according to the pusher. */
  readonly claimed: string | undefined;
  /** Its actual value. */
  readonly current: string | undefined;
  readonly next: string | undefined;
};

export type Advance = {
  readonly channel: Channel;
  /** Whether the new commits descend from the branch's current commit. If not, `commits` is empty. */
  readonly isForward: boolean;
  /** Oldest first, each compared with the one before it. */
  readonly commits: readonly PushedCommit[];
};

export type PushedCommit = {
  readonly oid: string;
  readonly subject: string;
  /** The encoding of the message; undefined means UTF-8. */
  readonly encoding: string | undefined;
  readonly parentCount: number;
  readonly changes: readonly Change[];
  /** Required files and folders at the root that are missing. */
  readonly lacks: readonly string[];
};

export type Change = {
  readonly path: string;
  readonly before: PushedFile | undefined;
  readonly after: PushedFile | undefined;
  /** Whether the file or a folder above it has a sibling whose name differs in case only. */
  readonly hasCaseCollision: boolean;
};

export type PushedFile = {
  /** git's file mode: 100644 for a plain file. */
  readonly mode: string;
  readonly bytes: Buffer;
  /** Text with Windows line ends. */
  readonly hasCrlf: boolean;
  /** For bucket/TOOL.json only. */
  readonly manifest: ManifestFile | undefined;
};

export type NewTag = {
  readonly ref: string;
  /** From the tag's name. */
  readonly tool: string;
  readonly named: string;
  /** The subject of the tagged commit; undefined when the tag points to anything else. */
  readonly subject: string | undefined;
  /** The tool's version in the tagged commit. */
  readonly version: string | undefined;
  /** The branches that contain the tagged commit after the push. */
  readonly on: readonly Channel[];
};

export type KnownPayloads = {
  /** `https://feed.example/dl/`: files below it are ours and must exist. */
  readonly base: string;
  /** SHA-256 (hex) by address as written in the manifest, for existing files. */
  readonly sha256: ReadonlyMap<string, string>;
};

/**
 * `refs/tags/buf/v1.32.0-beta.1` -> tool and version. Tools are lower-case, since Windows cannot hold two names that differ in
 * case.
 */
export function parseTagRef(ref: string): { readonly tool: string; readonly named: string } | undefined {
  const [, tool, named] =
    /^refs\/tags\/([a-z0-9][a-z0-9._-]{0,99})\/v([0-9A-Za-z.+-]{1,100})$/.exec(ref) ?? [];
  return tool === undefined || named === undefined ? undefined : { tool, named };
}

/** `refs/heads/beta` -> `beta`. */
export function shortRef(ref: string): string {
  return ref.replace(/^refs\/(heads|tags)\//, '');
}

/** `bucket/buf.json` -> `buf`. */
export function toolOfPath(path: string): string | undefined {
  return /^bucket\/([a-z0-9][a-z0-9._-]{0,99})\.json$/.exec(path)?.[1];
}

/** `BASE/buf/1.32.0/buf-windows-amd64.exe#/buf.exe` -> its payload; undefined when it is not one of ours. */
export function payloadOfUrl(
  base: string,
  url: string,
): { readonly tool: string; readonly version: string; readonly file: string } | undefined {
  if (!url.startsWith(base)) {
    return undefined;
  }
  const [tool, version, file, ...rest] = url.slice(base.length).replace(/#.*$/, '').split('/');
  return tool === undefined || version === undefined || file === undefined || rest.length > 0
    ? undefined
    : { tool, version, file };
}
