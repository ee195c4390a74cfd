import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cache } from '../../system/cache/cache.ts';
import { keyOfSetting, type NoteKey, openNote } from '../../verify/checksum-database/note.ts';
import { type DatabaseProof, proveSums, readHead } from '../../verify/checksum-database/proof.ts';
import { auditPath } from '../../verify/checksum-database/tree.ts';
import type { GoModuleVersion } from '../../verify/go-buildinfo.ts';
import { type Asking, refused, unreachable } from '../asking.ts';
import { type Go, isSumChecked } from './command.ts';
import { escapeModule } from './module-cache.ts';
import { loadTiles } from './tiles.ts';

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
  const gopath = await mkdtemp(join(await cache.go('work'), 'proof-'));
  try {
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
    return await prove(head, entries, key, kept, asking);
  } finally {
    await rm(gopath, { recursive: true, force: true });
  }
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
  const subtree = await loadTiles(
    join(kept, 'tile'),
    size,
    entries.map(({ id }) => id),
  );
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
