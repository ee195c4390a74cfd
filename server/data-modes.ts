import {
  chmodSync,
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  type Stats,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { fail } from './errors.ts';

/** Our own files in a data folder, and what a mounted file system may have at its root. */
const ours =
  /^(catalog\.db(-wal|-shm|-journal)?|blobs|bucket|replica|start\.key|server\.json|lock(-journal)?|lock\.pid|reading\.lock(-journal)?|\.write-[0-9a-f-]+)$/;
const ofFileSystem = 'lost+found';
const others = 0o077;
const groupWrites = 0o020;
const anybodyWrites = 0o002;

/** The changes to a data folder that other users of the machine could read. */
export type Closed = {
  /** Others could read these until now. */
  readonly closed: readonly string[];
  /** The folder keeps its mode: it contains other things, or root created it for our group. Our own files in it are private. */
  readonly isShared: boolean;
};

/**
 * Closes the data folder, and the secrets in it, to other users, because it contains keys and unlisted packages. On Windows,
 * which has no modes, the folder's access list counts.
 * @throws FeedError DATA_DIR_OPEN when another user owns it or one of our files in it, or may replace files in it
 */
export function closeToOthers(dir: string, platform: NodeJS.Platform = process.platform): Closed {
  if (platform === 'win32') return { closed: [], isShared: false };
  // The folder first: once it is closed, nobody can replace its content while we check it.
  const folder = statSync(dir);
  const isOpen = (folder.mode & others) !== 0;
  const isShared = isOpen && (isGiven(folder) || hasOtherThings(dir));
  if (isShared) requireOnlyOursWrite(dir, folder);
  else if (isOpen) close(dir, dir, folder.mode);
  const places = readdirSync(dir)
    .filter((name) => ours.test(name))
    .map((name) => join(dir, name));
  const closed = places.filter((place) => {
    const stats = lstatSync(place);
    requireOwner(place, dir, stats);
    // A link is left alone, since its target may be anybody's.
    if (stats.isSymbolicLink() || (stats.mode & others) === 0) return false;
    // A file of root's in a closed folder is out of everybody's reach.
    if (!isShared && !isOurUser(stats.uid)) return false;
    close(place, dir, stats.mode);
    return true;
  });
  // Where the folder itself kept others out, nobody could read what is in it, whatever its mode.
  if (!isOpen) return { closed: [], isShared };
  return { closed: isShared ? closed : [dir, ...closed], isShared };
}

/**
 * A volume that root mounted for our group, as Kubernetes does with fsGroup: its mode is not ours to change, and only that group
 * can write to it.
 */
function isGiven({ uid, gid }: Stats): boolean {
  return uid === 0 && !isOurUser(uid) && gid === process.getegid?.();
}

function hasOtherThings(dir: string): boolean {
  return !readdirSync(dir).every((name) => ours.test(name) || name === ofFileSystem);
}

function requireOnlyOursWrite(dir: string, folder: Stats): void {
  const forbidden = isGiven(folder) ? anybodyWrites : groupWrites | anybodyWrites;
  if ((folder.mode & forbidden) === 0) return;
  refuse(dir, dir, folder.mode, isGiven(folder) ? 'root owns it' : 'other things than a feed are in it');
}

/** Anything that another user put there while the folder was open may contain that user's keys or lead to that user's files. */
function requireOwner(place: string, dir: string, { uid, mode }: Stats): void {
  if (uid !== 0 && !isOurUser(uid)) refuse(place, dir, mode, `it belongs to the user ${uid}`);
}

/** Root can change everybody's files anyway. */
function isOurUser(uid: number): boolean {
  const own = process.geteuid?.();
  return uid === own || own === 0;
}

function close(place: string, dir: string, mode: number): void {
  try {
    chmodSync(place, mode & 0o7777 & ~others);
  } catch (error) {
    refuse(place, dir, mode, error instanceof Error && 'code' in error ? String(error.code) : String(error));
  }
}

/**
 * SQLite and git create files as the umask says. In a folder that keeps its mode others could read them; and a folder may be moved or
 * opened later.
 */
export function reservePlaces(dir: string): void {
  closeSync(openSync(join(dir, 'catalog.db'), 'a', 0o600));
  for (const name of ['blobs', 'bucket']) mkdirSync(join(dir, name), { recursive: true, mode: 0o700 });
}

function refuse(path: string, dir: string, mode: number, cause: string): never {
  fail('DATA_DIR_OPEN', { path, dir, mode: (mode & 0o777).toString(8).padStart(4, '0'), cause });
}
