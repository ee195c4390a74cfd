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

/** What is ours in a data folder, and what a file system of its own has at its root. */
const ours =
  /^(catalog\.db(-wal|-shm|-journal)?|blobs|bucket|start\.key|server\.json|lock(-journal)?|lock\.pid|reading\.lock(-journal)?|\.write-[0-9a-f-]+)$/;
const ofFileSystem = 'lost+found';
const others = 0o077;
const groupWrites = 0o020;
const anybodyWrites = 0o002;

/** What was done about a data folder that other users of the machine could look into. */
export type Closed = {
  /** These were open, and are closed now. */
  readonly closed: readonly string[];
  /** The folder keeps its mode: other things are in it, or root made it for our group. What is ours in it is private. */
  readonly isShared: boolean;
};

/**
 * Keys and unlisted packages are in the data folder: neither it nor what holds secrets in it stays open to other users.
 * Windows has no modes; there the folder's access list counts.
 * @throws FeedError DATA_DIR_OPEN when another user owns it or something of ours in it, or may replace files in it
 */
export function closeToOthers(dir: string, platform: NodeJS.Platform = process.platform): Closed {
  if (platform === 'win32') return { closed: [], isShared: false };
  // The folder first: once it is closed, nobody exchanges what is in it while we look.
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
    // A link is left alone: what it leads to may be anybody's.
    if (stats.isSymbolicLink() || (stats.mode & others) === 0) return false;
    // Root's file in a folder that is closed is out of everybody's reach.
    if (!isShared && !isOurUser(stats.uid)) return false;
    close(place, dir, stats.mode);
    return true;
  });
  return { closed: isOpen && !isShared ? [dir, ...closed] : closed, isShared };
}

/**
 * A volume that root mounted for our group, as Kubernetes does with fsGroup: its mode is not ours to change, and nobody but
 * that group writes in it.
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

/** What another user put there, while the folder was open, has that user's keys in it, or leads to that user's files. */
function requireOwner(place: string, dir: string, { uid, mode }: Stats): void {
  if (uid !== 0 && !isOurUser(uid)) refuse(place, dir, mode, `it belongs to the user ${uid}`);
}

/** Root may change everybody's files. */
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

/** In a folder that keeps its mode, what SQLite and git make could be read by others from its first moment to the next start. */
export function reservePlaces(dir: string): void {
  closeSync(openSync(join(dir, 'catalog.db'), 'a', 0o600));
  for (const name of ['blobs', 'bucket']) mkdirSync(join(dir, name), { recursive: true, mode: 0o700 });
}

function refuse(path: string, dir: string, mode: number, cause: string): never {
  fail('DATA_DIR_OPEN', { path, dir, mode: (mode & 0o777).toString(8).padStart(4, '0'), cause });
}
