import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GoModuleVersion } from '../../../formats/go-buildinfo.ts';
import { withTempDir } from '../../../formats/scoped.ts';
import { type Go, isSumChecked } from '../../../go-command/command.ts';
import { escapeModule } from '../../../go-command/module-cache.ts';
import { type Asking, refused, unreachable } from '../../../outbound/asking.ts';
import type { Cache } from '../../../system/cache/cache.ts';
import { keyOfSetting, type NoteKey, openNote } from '../../verify/checksum-database/note.ts';
import { type DatabaseProof, proveSums, readHead } from '../../verify/checksum-database/proof.ts';
import { auditPath, nodeHash, type Subtree } from '../../verify/checksum-database/tree.ts';

/** A command line has an end, on Windows at 32,767 characters. */
const modulesAtOnce = 100;

/**
 * The checksum database's proof of these modules, from what the go command keeps of it (cmd/go/internal/modfetch/sumdb.go):
 *
 *     GOMODCACHE/cache/download/sumdb/NAME/lookup/PATH@VERSION     the module's entry
 *     GOMODCACHE/cache/download/sumdb/NAME/tile/8/LEVEL/NUMBER     hashes of the tree
 *     GOPATH/pkg/sumdb/NAME/latest                                 the newest head of the tree that it has seen
 *
 * It is read in a GOPATH of its own, twice: the first time finds the newest head among the entries' own, the second proves every
 * entry against that one, for which it fetches what tiles it lacks. Modules that the database is not asked for are left out.
 * @throws ReleaseError SOURCE_UNREACHABLE, REFUSED, INTERRUPTED
 */
export async function proveModules(
  go: Go,
  cache: Cache,
  modules: readonly GoModuleVersion[],
  asking: Asking,
): Promise<DatabaseProof | undefined> {
  const key = keyOfSetting(go.machine.GOSUMDB);
  const asked = modules
    .filter(({ path }) => isSumChecked(go.machine, path))
    .map(({ path, version }) => `${path}@${version}`);
  const wanted = [...new Set(asked)].sort();
  if (key === undefined || wanted.length === 0) return undefined;
  return withTempDir(join(await cache.go('work'), 'proof-'), async (gopath) => {
    const said = [await ask(go, wanted, gopath), await ask(go, wanted, gopath)];
    const silent = () => unreachable(asking, said.join(' ').trim() || 'Go did not ask the checksum database');
    const seen = join(gopath, 'pkg', 'sumdb');
    // the one database that was asked, by the name that Go has for it
    const [name = ''] = await readdir(seen).catch(silent);
    const head = await readFile(join(seen, name, 'latest'), 'utf8').catch(silent);
    const kept = join(await cache.go('mod'), 'cache', 'download', 'sumdb', name);
    const entries = await Promise.all(
      wanted.map(async (module) => {
        const file = join(kept, 'lookup', escapeModule(module));
        const text = await readFile(file, 'utf8').catch(silent);
        return readLookup(text) ?? refused(asking, module, 'an entry of the checksum database', text);
      }),
    );
    return prove(head, entries, key, kept, asking);
  });
}

/** Modules in the cache are not fetched again, but each is compared with the database. Returns Go's output, for an error. */
async function ask(go: Go, modules: readonly string[], gopath: string): Promise<string> {
  let said = '';
  for (let from = 0; from < modules.length; from += modulesAtOnce) {
    const args = ['mod', 'download', ...modules.slice(from, from + modulesAtOnce)];
    said += (await go.run({ args, env: { GOPATH: gopath } })).stderr;
  }
  return said;
}

type Entry = Pick<DatabaseProof['entries'][number], 'id' | 'text'>;

async function prove(
  head: string,
  entries: readonly Entry[],
  key: NoteKey,
  kept: string,
  asking: Asking,
): Promise<DatabaseProof> {
  const { size } = readHead(openNote(head, key) ?? '') ?? refused(asking, key.name, 'a signed head', head);
  const ids = entries.map(({ id }) => id);
  const subtree = await loadTiles(join(kept, 'tile'), size, ids);
  const proof = {
    head,
    entries: entries.map(({ id, text }) => {
      const path = auditPath({ size, id }, subtree).map((hash) => hash.toString('base64'));
      return { id, text, path };
    }),
  };
  // as the other side will
  const proved = proveSums(proof, key);
  return 'problem' in proved ? refused(asking, key.name, 'a proof that holds', proved.problem) : proof;
}

/** `ID`, the lines of go.sum, an empty line, the head of the tree at that time (tlog.ParseRecord). */
function readLookup(text: string): Entry | undefined {
  const [, id, entry] = /^(\d{1,12})\n((?:[^\n]+\n)+)\n/.exec(text) ?? [];
  return id === undefined || entry === undefined ? undefined : { id: Number(id), text: entry };
}

/**
 * The tree of the checksum database in tiles of 256 hashes (golang.org/x/mod/sumdb/tlog, Tile): level 0 has the hashes of
 * entries, level 1 those of whole tiles of level 0, and so on. The last of a level is as wide as the tree's size makes it.
 */
type Tile = { readonly level: number; readonly index: number; readonly width: number };

const width = 256;
const hashBytes = 32;

/**
 * The subtrees that lie beside these entries on their way to the head of a tree of that size, from the files of tiles in `dir`.
 * @throws the errors of the file system when one is missing
 */
async function loadTiles(dir: string, size: number, ids: readonly number[]): Promise<Subtree> {
  const needed = new Map<string, Tile>();
  const note: Subtree = (first, count) => {
    const { tile } = placeOf(first, count, size);
    needed.set(pathOf(tile), tile);
    return Buffer.alloc(hashBytes);
  };
  for (const id of ids) auditPath({ size, id }, note);
  const loaded = new Map<string, Buffer>();
  for (const [path, tile] of needed) loaded.set(path, await readTile(dir, tile));
  return (first, count) => {
    const { tile, from, hashes } = placeOf(first, count, size);
    const bytes = (loaded.get(pathOf(tile)) ?? Buffer.alloc(0)).subarray(from * hashBytes);
    return over(
      Array.from({ length: hashes }, (_, at) => bytes.subarray(at * hashBytes, (at + 1) * hashBytes)),
    );
  };
}

/** Which hashes of which tile come to a whole subtree. */
function placeOf(first: number, count: number, size: number): { tile: Tile; from: number; hashes: number } {
  const level = Math.floor(Math.log2(count) / Math.log2(width));
  const unit = width ** level;
  const at = first / unit;
  const index = Math.floor(at / width);
  const last = Math.floor(size / unit) - index * width;
  return { tile: { level, index, width: Math.min(width, last) }, from: at % width, hashes: count / unit };
}

/** The hash over a power of two of neighbours. */
function over(hashes: readonly Buffer[]): Buffer {
  const [first = Buffer.alloc(hashBytes), ...rest] = hashes;
  if (rest.length === 0) return first;
  const half = hashes.length / 2;
  return nodeHash(over(hashes.slice(0, half)), over(hashes.slice(half)));
}

/** A tile that was narrow in an older tree may be there whole. */
async function readTile(dir: string, tile: Tile): Promise<Buffer> {
  try {
    return await readFile(join(dir, pathOf(tile)));
  } catch (error) {
    if (tile.width === width) throw error;
    return readFile(join(dir, pathOf({ ...tile, width })));
  }
}

/** `8/1/x001/013.p/42`: thousands of the number in folders, `.p/WIDTH` for one that is not whole. */
function pathOf({ level, index, width: wide }: Tile): string {
  const digits = String(index).padStart(Math.ceil(String(index).length / 3) * 3, '0');
  const parts = digits.match(/\d{3}/g) ?? [];
  const number = parts.map((part, at) => (at < parts.length - 1 ? `x${part}` : part)).join('/');
  return `8/${level}/${number}${wide === width ? '' : `.p/${wide}`}`;
}
