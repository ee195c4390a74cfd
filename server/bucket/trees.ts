import { fail } from '../errors.ts';
import { type ManifestFile, readManifestFile } from './manifest-file.ts';
import { type Commit, type ObjectReader, parseCommit, parseTree } from './objects.ts';
import { type PushedFile, toolOfPath } from './push.ts';

/** A file in a tree, not read yet. */
type TreeFile = { readonly mode: string; readonly oid: string };
export type Files = ReadonlyMap<string, TreeFile>;

/** A bucket has a file a tool; more than this is an attack or a mistake. */
const limits = { files: 20_000, depth: 8, bytesRead: 64 * 1024 * 1024 };

/** Commits and their files; what was read once is kept, since the commits of a push share nearly everything. */
export interface TreeReader {
  commit(name: string): Promise<Commit | undefined>;
  /** All files of a tree by path, `bucket/buf.json`. @throws FeedError PUSH_TOO_LARGE */
  files(tree: string): Promise<Files>;
  file(path: string, file: TreeFile): Promise<PushedFile>;
  /** The manifests of a commit by tool. */
  manifests(commit: string | undefined): Promise<ReadonlyMap<string, ManifestFile>>;
}

export function createTreeReader(objects: ObjectReader): TreeReader {
  const trees = new Map<string, Files>();
  const contents = new Map<string, PushedFile>();
  let bytesRead = 0;

  async function commit(name: string): Promise<Commit | undefined> {
    const object = await objects.read(name);
    return object?.kind === 'commit' ? parseCommit(object.bytes) : undefined;
  }

  async function files(tree: string, depth = 0): Promise<Files> {
    const known = trees.get(tree);
    if (known !== undefined) {
      return known;
    }
    if (depth > limits.depth) {
      fail('PUSH_TOO_LARGE', { what: 'A folder', found: `${depth} folders above it`, limit: limits.depth });
    }
    const found = new Map<string, TreeFile>();
    const object = await objects.read(tree);
    for (const { mode, name, oid } of object?.kind === 'tree' ? parseTree(object.bytes) : []) {
      if (mode !== '040000') {
        found.set(name, { mode, oid });
        continue;
      }
      for (const [path, file] of await files(oid, depth + 1)) {
        found.set(`${name}/${path}`, file);
      }
    }
    if (found.size > limits.files) {
      fail('PUSH_TOO_LARGE', { what: 'The bucket', found: `${found.size} files`, limit: limits.files });
    }
    trees.set(tree, found);
    return found;
  }

  async function file(path: string, { mode, oid }: TreeFile): Promise<PushedFile> {
    const isManifest = toolOfPath(path) !== undefined;
    const known = contents.get(`${isManifest} ${mode} ${oid}`);
    if (known !== undefined) {
      return known;
    }
    // A submodule names a commit of another repository; the rules refuse it by its mode.
    const bytes = mode === '160000' ? Buffer.alloc(0) : ((await objects.read(oid))?.bytes ?? Buffer.alloc(0));
    bytesRead += bytes.length;
    if (bytesRead > limits.bytesRead) {
      fail('PUSH_TOO_LARGE', { what: 'The push', found: `${bytesRead} bytes`, limit: limits.bytesRead });
    }
    const read = { mode, bytes, manifest: isManifest ? readManifestFile(bytes) : undefined };
    contents.set(`${isManifest} ${mode} ${oid}`, read);
    return read;
  }

  async function manifests(name: string | undefined): Promise<ReadonlyMap<string, ManifestFile>> {
    const found = new Map<string, ManifestFile>();
    const tree = name === undefined ? undefined : (await commit(name))?.tree;
    for (const [path, entry] of tree === undefined ? [] : await files(tree)) {
      const tool = toolOfPath(path);
      const manifest = tool === undefined ? undefined : (await file(path, entry)).manifest;
      if (tool !== undefined && manifest !== undefined) {
        found.set(tool, manifest);
      }
    }
    return found;
  }

  return { commit, files, file, manifests };
}
