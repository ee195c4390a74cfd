import * as z from 'zod';
import { type NoteKey, openNote } from './note.ts';
import { rootOf } from './tree.ts';

/**
 * The Go checksum database's answer about modules, as a proof for machines that cannot ask it: the head of its tree with its
 * signature, each module's entry, and the hashes that lead from the entry to the head. Their order is that of the modules.
 */
export const DatabaseProof = z.strictObject({
  head: z.string().max(10_000),
  entries: z
    .array(
      z.strictObject({
        id: z.int().nonnegative(),
        text: z.string().max(10_000),
        path: z.array(z.base64().length(44)).max(64),
      }),
    )
    .max(10_000),
});
export type DatabaseProof = z.infer<typeof DatabaseProof>;

export type TreeHead = { readonly size: number; readonly root: Buffer };

/** `PATH@VERSION` -> the h1: sum of its files, for all that was proved; or what is wrong with the proof. */
export type Proved = { readonly sums: ReadonlyMap<string, string> } | { readonly problem: string };

/** Pure. A single wrong entry invalidates the whole proof. */
export function proveSums(proof: DatabaseProof, key: NoteKey): Proved {
  const text = openNote(proof.head, key);
  const head = text === undefined ? undefined : readHead(text);
  if (head === undefined) return { problem: `the head of its tree is not signed by ${key.name}` };
  const sums = new Map<string, string>();
  for (const { id, text: entry, path } of proof.entries) {
    const hashes = path.map((hash) => Buffer.from(hash, 'base64'));
    const root = id < head.size ? rootOf({ size: head.size, id }, Buffer.from(entry), hashes) : undefined;
    if (root?.equals(head.root) !== true)
      return { problem: `its tree has another entry ${id} than ${JSON.stringify(entry.slice(0, 100))}` };
    for (const [module, sum] of sumsIn(entry)) sums.set(module, sum);
  }
  return { sums };
}

/** The text of the signed note (golang.org/x/mod/sumdb/tlog, ParseTree); lines after these may come. */
export function readHead(text: string): TreeHead | undefined {
  const [, size, hash] = /^go\.sum database tree\n(\d{1,12})\n([A-Za-z0-9+/]{43}=)\n/.exec(text) ?? [];
  return size === undefined || hash === undefined
    ? undefined
    : { size: Number(size), root: Buffer.from(hash, 'base64') };
}

/** Lines as in go.sum: `PATH VERSION SUM` for the files, `PATH VERSION/go.mod SUM` for that one file. */
function sumsIn(entry: string): readonly (readonly [module: string, sum: string])[] {
  return entry.split('\n').flatMap((line) => {
    const [, path, version, sum] = /^(\S+) (\S+) (h1:\S+)$/.exec(line) ?? [];
    const isFiles = sum !== undefined && version?.endsWith('/go.mod') === false;
    return isFiles ? [[`${path}@${version}`, sum] as const] : [];
  });
}
