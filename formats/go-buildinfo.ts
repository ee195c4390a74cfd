import type { FileHandle } from 'node:fs/promises';
import { type PeFile, type PeSection, readAt, readPe } from './pe-file.ts';
import type { Architecture } from './release-record.ts';
import { withFile } from './scoped.ts';
import { readUvarint } from './uvarint.ts';

/** What the Go linker wrote into a program: `go version -m` prints the same. */
export type GoBuildInfo = {
  /** `go1.26.8` */
  readonly goVersion: string;
  /** The main package: `github.com/go-delve/delve/cmd/dlv`. */
  readonly path: string;
  readonly module: GoModuleVersion | undefined;
  /** All other modules that code was taken from, as the linker lists them; one that was replaced is its replacement. */
  readonly dependencies: readonly GoModuleVersion[];
  /** `build` lines: `GOOS` -> `windows`. */
  readonly settings: Readonly<Record<string, string>>;
};

/** `version` is Go's, with its v; `(devel)`, or empty for a replacement by a folder. `sum` may be empty. */
export type GoModuleVersion = { readonly path: string; readonly version: string; readonly sum: string };

const magic = Buffer.from('\xff Go buildinf:', 'latin1');
const headerBytes = 32;
const alignment = 16;
const inlineStrings = 2;
const maxVersionBytes = 1024;
const maxModuleBytes = 4 << 20;
const windowBytes = 1 << 20;

/**
 * Reads it from the same place as Go's own reader (spec upstream 6): the first initialised, writable data section, at a 16-byte
 * aligned address. Never a search through the file: programs that read build info contain the magic as a constant.
 * @returns undefined when there is none, it is older than Go 1.18, or it is damaged
 */
export async function readGoBuildInfo(file: FileHandle): Promise<GoBuildInfo | undefined> {
  const pe = await readPe(file);
  const data = pe?.sections.find(isGoData);
  if (pe === undefined || data === undefined) return undefined;
  const start = await findHeader(file, pe, data);
  if (start === undefined) return undefined;
  const header = await readAt(file, start, headerBytes);
  if (((header[15] ?? 0) & inlineStrings) === 0) return undefined;

  const end = data.fileOffset + data.fileBytes;
  const version = await readInlineString(file, start + headerBytes, end, maxVersionBytes);
  if (version === undefined) return undefined;
  const text = await readInlineString(file, version.next, end, maxModuleBytes);
  const modules = text && unframe(text.bytes);
  return modules === undefined
    ? undefined
    : { goVersion: version.bytes.toString('utf8'), ...parseModules(modules) };
}

/** Initialised data, readable, writable; the alignment bits say nothing. */
function isGoData(section: PeSection): boolean {
  return (
    section.virtualAddress !== 0 &&
    section.fileBytes !== 0 &&
    (section.characteristics & ~0x00f0_0000) >>> 0 === 0xc000_0040
  );
}

/** @returns the file offset of the header. Windows overlap, so that a magic across their border is seen. */
async function findHeader(file: FileHandle, pe: PeFile, data: PeSection): Promise<number | undefined> {
  const misalignment = Number((pe.imageBase + BigInt(data.virtualAddress)) % BigInt(alignment));
  for (let from = 0; from < data.fileBytes; from += windowBytes) {
    const wanted = Math.min(windowBytes + headerBytes, data.fileBytes - from);
    const window = await readAt(file, data.fileOffset + from, wanted);
    for (let at = window.indexOf(magic); at !== -1; at = window.indexOf(magic, at + 1)) {
      const isWhole = at + headerBytes <= window.length;
      if (isWhole && (misalignment + from + at) % alignment === 0) return data.fileOffset + from + at;
    }
    if (window.length < wanted) return undefined;
  }
  return undefined;
}

/** A uvarint length and that many bytes, all inside the section. */
async function readInlineString(file: FileHandle, at: number, end: number, maxBytes: number) {
  const length = readUvarint(await readAt(file, at, Math.min(10, Math.max(0, end - at))));
  if (length === undefined || length.value > maxBytes) return undefined;
  const start = at + length.size;
  const next = start + length.value;
  if (next > end) return undefined;
  const bytes = await readAt(file, start, length.value);
  return bytes.length < length.value ? undefined : { bytes, next };
}

/** The module text lies between two 16-byte sentinels; the byte before the second one is its last line feed. */
function unframe(framed: Buffer): string | undefined {
  if (framed.length < 33 || framed[framed.length - 17] !== 0x0a) return undefined;
  return framed.toString('utf8', 16, framed.length - 16);
}

/** Lines of tab-separated words: `path P`, `mod P V SUM`, `dep P V SUM`, `=> P V SUM` (replaces the line above), `build K=V`. */
function parseModules(text: string): Omit<GoBuildInfo, 'goVersion'> {
  let path = '';
  const modules: { readonly word: string; readonly module: GoModuleVersion }[] = [];
  const settings: [string, string][] = [];
  for (const line of text.split('\n')) {
    const [word = '', first = '', second = '', third = ''] = line.split('\t');
    const module = { path: first, version: second, sum: third };
    if (word === 'path') path = first;
    if (word === 'mod' || word === 'dep') modules.push({ word, module });
    if (word === '=>') modules.push({ word: modules.pop()?.word ?? '', module });
    if (word === 'build') settings.push(splitSetting(first));
  }
  const of = (kind: string) => modules.filter(({ word }) => word === kind).map(({ module }) => module);
  return { path, module: of('mod').at(-1), dependencies: of('dep'), settings: Object.fromEntries(settings) };
}

/** Values with blanks are quoted (`-ldflags="-s -w"`); those we read never are. */
function splitSetting(text: string): [string, string] {
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
}

/** An exe and its Go build info; undefined for an exe without it. */
export type Program = { readonly architecture: Architecture; readonly info: GoBuildInfo | undefined };

export async function readPrograms(
  exes: readonly { readonly architecture: Architecture; readonly path: string }[],
): Promise<readonly Program[]> {
  return Promise.all(
    exes.map(async ({ architecture, path }) => ({
      architecture,
      info: await withFile(path, readGoBuildInfo),
    })),
  );
}
