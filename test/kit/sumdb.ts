import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import type { GoModuleFiles } from './go-proxy.ts';

export type SumDatabase = {
  readonly name: string;
  /** `NAME+IDENTIFIER+KEY`: what GOSUMDB is set to. */
  readonly setting: string;
  /** What it says at `/lookup/...` and `/tile/...` (go.dev/design/25530-sumdb). */
  answer(path: string): string | Buffer | undefined;
  /** The text of an entry. */
  entryOf(module: string): string;
  signHead(size: number, root: Buffer): string;
};

/**
 * A small true checksum database with a key of its own, for the real go command. Between the modules lie entries of nobody, so
 * that the tree has several tiles, and each answer shows the tree as large as it was some entries later.
 */
export function makeSumDatabase(modules: readonly GoModuleFiles[], name = 'sum.test'): SumDatabase {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const typed = Buffer.concat([
    Buffer.of(1),
    publicKey.export({ format: 'der', type: 'spki' }).subarray(-32),
  ]);
  const identifier = hash(Buffer.from(`${name}\n`), typed).subarray(0, 4);

  const entries: string[] = [];
  const ids = new Map<string, number>();
  const grow = (): void => {
    for (let count = 0; count < 300; count += 1)
      entries.push(`example.test/nobody v0.0.${entries.length} h1:${'A'.repeat(43)}=\n`);
  };
  for (const module of modules) {
    grow();
    ids.set(`${module.path}@${module.version}`, entries.length);
    entries.push(entryFor(module));
  }
  grow();
  const leaves = entries.map((entry) => hash(Buffer.of(0), Buffer.from(entry)));

  function signHead(size: number, root: Buffer): string {
    const text = `go.sum database tree\n${size}\n${root.toString('base64')}\n`;
    const signature = Buffer.concat([identifier, sign(null, Buffer.from(text), privateKey)]);
    return `${text}\n\u2014 ${name} ${signature.toString('base64')}\n`;
  }
  function head(size: number): string {
    return signHead(size, treeHash(leaves.slice(0, size)));
  }
  function tile(level: number, index: number, width: number): Buffer | undefined {
    const unit = 256 ** level;
    const hashes = Array.from({ length: width }, (_, at) => {
      const first = (index * 256 + at) * unit;
      return first + unit <= leaves.length ? treeHash(leaves.slice(first, first + unit)) : undefined;
    });
    const whole = hashes.filter((one) => one !== undefined);
    return whole.length === width ? Buffer.concat(whole) : undefined;
  }
  return {
    name,
    setting: `${name}+${identifier.toString('hex')}+${typed.toString('base64')}`,
    signHead,
    entryOf: (module) => entries[ids.get(module)!]!,
    answer(path) {
      const [, escaped] = /^\/lookup\/(.+)$/.exec(path) ?? [];
      const module = escaped?.replace(/!([a-z])/g, (_, letter: string) => letter.toUpperCase());
      const id = ids.get(module ?? '');
      if (id !== undefined) return `${id}\n${entries[id]}\n${head(id + 100)}`;
      const [, level, number, width] = /^\/tile\/8\/(\d+)\/([x\d/]+?)(?:\.p\/(\d+))?$/.exec(path) ?? [];
      if (number === undefined) return undefined;
      return tile(Number(level), Number(number.replace(/[x/]/g, '')), Number(width ?? 256));
    },
  };
}

/** The two lines of go.sum (golang.org/x/mod/sumdb/dirhash, Hash1). */
function entryFor({ path, version, files }: GoModuleFiles): string {
  const named = Object.entries(files).map(([file, text]) => [`${path}@${version}/${file}`, text] as const);
  const goMod = [['go.mod', files['go.mod'] ?? '']] as const;
  return `${path} ${version} ${h1(named)}\n${path} ${version}/go.mod ${h1(goMod)}\n`;
}

function h1(files: readonly (readonly [name: string, text: string])[]): string {
  const lines = [...files]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, text]) => `${hash(Buffer.from(text)).toString('hex')}  ${name}\n`);
  return `h1:${hash(Buffer.from(lines.join(''))).toString('base64')}`;
}

/** RFC 6962, section 2.1, as it is written there. */
export function treeHash(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 1) return leaves[0]!;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return hash(Buffer.of(1), treeHash(leaves.slice(0, split)), treeHash(leaves.slice(split)));
}

function hash(...parts: readonly Buffer[]): Buffer {
  return createHash('sha256').update(Buffer.concat(parts)).digest();
}
