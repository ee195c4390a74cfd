import { fail } from '../errors.ts';
import { type ManifestFile, readManifestFile } from './manifest-file.ts';
import { type Commit, type ObjectReader, parseCommit, parseTree } from './objects.ts';
import { type PushedFile, toolOfPath } from './push.ts';
import type { WorkBudget } from './work-budget.ts';

/** An entry of a folder that has not been read yet. */
export type Entry = { readonly mode: string; readonly oid: string };
export type Folder = ReadonlyMap<string, Entry>;

/** A bucket has one file per tool; more than this is an attack or a mistake. */
const limits = { entries: 20_000, fileBytes: 64 * 1024 * 1024, heldEntries: 100_000 };

/** Reads commits and their content, and caches it, since the commits of a push share nearly everything. */
export interface TreeReader {
  /** Counts any further work with what was read. */
  readonly work: WorkBudget;
  commit(name: string): Promise<Commit | undefined>;
  /** The direct content of a folder. @throws FeedError PUSH_TOO_LARGE, GIT_FAILED when it does not exist */
  folder(tree: string): Promise<Folder>;
  file(path: string, file: Entry): Promise<PushedFile>;
  /** A tool's manifest in a commit. */
  manifest(commit: string, tool: string): Promise<ManifestFile | undefined>;
  /** The manifests of a commit by tool. */
  manifests(commit: string | undefined): Promise<ReadonlyMap<string, ManifestFile>>;
}

export function createTreeReader(objects: ObjectReader, work: WorkBudget): TreeReader {
  const folders = new Map<string, Folder>();
  const contents = new Map<string, PushedFile>();
  let heldEntries = 0;
  let fileBytes = 0;

  async function commit(name: string): Promise<Commit | undefined> {
    const object = await objects.read(name);
    return object?.kind === 'commit' ? parseCommit(object.bytes) : undefined;
  }

  async function folder(tree: string): Promise<Folder> {
    const known = folders.get(tree);
    if (known !== undefined) {
      return known;
    }
    const object = await objects.read(tree);
    if (object?.kind !== 'tree') {
      return fail('GIT_FAILED', {}, new Error(`the tree ${tree} is not there`));
    }
    const found = new Map<string, Entry>();
    for (const { name, mode, oid } of parseTree(object.bytes)) {
      if (found.has(name)) {
        fail('GIT_FAILED', {}, new Error(`the tree ${tree} names ${JSON.stringify(name)} twice`));
      }
      found.set(name, { mode, oid });
      if (found.size > limits.entries) {
        fail('PUSH_TOO_LARGE', {
          what: 'A folder',
          found: `more than ${limits.entries} entries`,
          limit: limits.entries,
        });
      }
    }
    work.spend(found.size + 1);
    folders.set(tree, found);
    heldEntries += found.size;
    forgetOldest();
    return found;
  }

  function forgetOldest(): void {
    for (const [tree, held] of folders) {
      if (heldEntries <= limits.heldEntries) {
        return;
      }
      folders.delete(tree);
      heldEntries -= held.size;
    }
  }

  async function file(path: string, { mode, oid }: Entry): Promise<PushedFile> {
    const isManifest = toolOfPath(path) !== undefined;
    const known = contents.get(`${isManifest} ${mode} ${oid}`);
    if (known !== undefined) {
      return known;
    }
    work.spend(1);
    const bytes = await readBlob(oid, mode);
    fileBytes += bytes.length;
    if (fileBytes > limits.fileBytes) {
      fail('PUSH_TOO_LARGE', { what: 'The push', found: `${fileBytes} bytes`, limit: limits.fileBytes });
    }
    const read = {
      mode,
      bytes,
      hasCrlf: bytes.includes('\r\n') && !bytes.includes(0),
      manifest: isManifest ? readManifestFile(bytes) : undefined,
    };
    contents.set(`${isManifest} ${mode} ${oid}`, read);
    return read;
  }

  async function readBlob(oid: string, mode: string): Promise<Buffer> {
    if (mode === '160000') {
      // A submodule refers to a commit of another repository; the rules refuse it by its mode.
      return Buffer.alloc(0);
    }
    const object = await objects.read(oid);
    return object?.kind === 'blob'
      ? object.bytes
      : fail('GIT_FAILED', {}, new Error(`the blob ${oid} is not there`));
  }

  /** The content of the folder bucket/ in a commit. */
  async function bucketOf(oid: string): Promise<Folder> {
    const tree = (await commit(oid))?.tree;
    const bucket = tree === undefined ? undefined : (await folder(tree)).get('bucket');
    return bucket?.mode === folderMode ? folder(bucket.oid) : new Map();
  }

  async function manifest(oid: string, tool: string): Promise<ManifestFile | undefined> {
    const name = `${tool}.json`;
    const entry = (await bucketOf(oid)).get(name);
    return entry === undefined || entry.mode === folderMode
      ? undefined
      : (await file(`bucket/${name}`, entry)).manifest;
  }

  async function manifests(oid: string | undefined): Promise<ReadonlyMap<string, ManifestFile>> {
    const found = new Map<string, ManifestFile>();
    for (const [name, entry] of oid === undefined ? [] : await bucketOf(oid)) {
      const tool = toolOfPath(`bucket/${name}`);
      if (tool === undefined || entry.mode === folderMode) {
        continue;
      }
      const { manifest: read } = await file(`bucket/${name}`, entry);
      if (read !== undefined) {
        found.set(tool, read);
      }
    }
    return found;
  }

  return { work, commit, folder, file, manifest, manifests };
}

export const folderMode = '040000';
