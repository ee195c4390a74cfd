import { fail } from '../errors.ts';
import { type Entry, type Folder, folderMode, type TreeReader } from './trees.ts';

/** A path at which two trees differ. */
export type Difference = {
  readonly path: string;
  readonly before: Entry | undefined;
  readonly after: Entry | undefined;
  readonly hasCaseCollision: boolean;
};

const maxDepth = 8;
const nothing: Folder = new Map();

/**
 * Yields the files that differ between two trees. Only folders that differ are read, so the cost of a commit depends on its
 * changes.
 */
export async function* diffTrees(
  trees: TreeReader,
  before: string | undefined,
  after: string | undefined,
  prefix = '',
  isInTwin = false,
): AsyncGenerator<Difference> {
  if (prefix.split('/').length > maxDepth + 1) {
    fail('PUSH_TOO_LARGE', {
      what: 'A folder',
      found: `more than ${maxDepth} folders above it`,
      limit: maxDepth,
    });
  }
  const [old, now] = [await open(trees, before), await open(trees, after)];
  trees.work.spend(old.size + now.size + 1);
  const twins = caseCollisionsIn(now);
  for (const name of new Set([...old.keys(), ...now.keys()])) {
    const [was, is] = [old.get(name), now.get(name)];
    if (was?.oid === is?.oid && was?.mode === is?.mode) {
      continue;
    }
    const hasCaseCollision = isInTwin || (is !== undefined && twins.has(name.toLowerCase()));
    const path = `${prefix}${name}`;
    const [oldFile, newFile] = [fileOf(was), fileOf(is)];
    if (oldFile !== undefined || newFile !== undefined) {
      yield { path, before: oldFile, after: newFile, hasCaseCollision };
    }
    const [oldFolder, newFolder] = [folderOf(was), folderOf(is)];
    if (oldFolder !== undefined || newFolder !== undefined) {
      yield* diffTrees(trees, oldFolder, newFolder, `${path}/`, hasCaseCollision);
    }
  }
}

async function open(trees: TreeReader, tree: string | undefined): Promise<Folder> {
  return tree === undefined ? nothing : trees.folder(tree);
}

/** Names that appear more than once when case is ignored, in lower case. */
function caseCollisionsIn(folder: Folder): ReadonlySet<string> {
  const seen = new Set<string>();
  const twins = new Set<string>();
  for (const name of folder.keys()) {
    const lower = name.toLowerCase();
    (seen.has(lower) ? twins : seen).add(lower);
  }
  return twins;
}

function fileOf(entry: Entry | undefined): Entry | undefined {
  return entry?.mode === folderMode ? undefined : entry;
}

function folderOf(entry: Entry | undefined): string | undefined {
  return entry?.mode === folderMode ? entry.oid : undefined;
}
