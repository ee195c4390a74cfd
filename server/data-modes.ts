import { chmodSync, lstatSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fail } from './errors.ts';

/** What is ours in a data folder, and what a file system of its own has at its root. */
const ours =
  /^(catalog\.db(-wal|-shm|-journal)?|blobs|bucket|start\.key|server\.json|lock(-journal)?|lock\.pid|reading\.lock(-journal)?|\.write-\d+|lost\+found)$/;
const others = 0o077;
const othersWrite = 0o022;

/** What was done about a data folder that other users of the machine could look into. */
export type Closed = {
  /** These were open, and are closed now. */
  readonly closed: readonly string[];
  /** A folder with other things in it, whose mode is not ours to change; what we write into it is private. */
  readonly isShared: boolean;
};

/**
 * Keys and unlisted packages are in the data folder: neither it nor what holds secrets in it stays open to other users.
 * Windows has no modes; there the folder's access list counts.
 * @throws FeedError DATA_DIR_OPEN when another user owns it, or when anybody may replace files in a folder that is not ours alone
 */
export function closeToOthers(dir: string, platform: NodeJS.Platform = process.platform): Closed {
  if (platform === 'win32') return { closed: [], isShared: false };
  const names = readdirSync(dir);
  const mode = statSync(dir).mode;
  const isShared = (mode & others) !== 0 && !names.every((name) => ours.test(name));
  if (isShared && (mode & othersWrite) !== 0) {
    refuse(dir, dir, mode, 'other things than a feed are in it');
  }
  const files = names.filter((name) => ours.test(name)).map((name) => join(dir, name));
  const places = [...(isShared ? [] : [dir]), ...files].filter((place) => isOpen(place, place === dir));
  const closed = places.filter((place) => {
    const { mode } = statSync(place);
    try {
      chmodSync(place, mode & 0o7777 & ~others);
      return true;
    } catch (error) {
      // The folder comes first: once it is closed, nobody gets to a file of another owner in it.
      if (place !== dir && !isShared) return false;
      return refuse(
        place,
        dir,
        mode,
        error instanceof Error && 'code' in error ? String(error.code) : String(error),
      );
    }
  });
  return { closed, isShared };
}

/** A link inside is left alone: what it leads to may be anybody's. */
function isOpen(place: string, isRoot: boolean): boolean {
  const { mode } = isRoot ? statSync(place) : lstatSync(place);
  return (isRoot || !lstatSync(place).isSymbolicLink()) && (mode & others) !== 0;
}

function refuse(path: string, dir: string, mode: number, cause: string): never {
  fail('DATA_DIR_OPEN', { path, dir, mode: (mode & 0o777).toString(8).padStart(4, '0'), cause });
}
