import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import AdmZip from 'adm-zip';
import { goBuildsDir } from './go-builds.ts';
import { hasProgram, mustRun } from './programs.ts';

export const hasGo = hasProgram('go');

export type Module = { readonly path: string; readonly version: string; readonly sum?: string };
export type TinyExe = {
  readonly architecture?: 'amd64' | 'arm64';
  /** Written as Go's linker does; none when absent. */
  readonly module?: Module;
  /** What it says it was built from besides. */
  readonly dependencies?: readonly Module[];
  readonly goVersion?: string;
  /** Makes two exes differ. */
  readonly filler?: string;
  /** Bytes put before the build info, so that it starts elsewhere in the section. */
  readonly before?: Buffer;
};

const headerBytes = 0x400;

/** A Windows program of a few kilobytes: headers and one .data section. It does not run. */
export function makeTinyExe({
  architecture = 'amd64',
  module,
  dependencies,
  goVersion = 'go1.26.8',
  filler = '',
  before,
}: TinyExe = {}): Buffer {
  const info = module === undefined ? Buffer.alloc(0) : buildInfo(goVersion, module, dependencies);
  const data = Buffer.concat([
    before ?? Buffer.alloc(16),
    info,
    Buffer.from(filler, 'utf8'),
    Buffer.alloc(64),
  ]);
  const header = Buffer.alloc(headerBytes);
  header.write('MZ', 0, 'latin1');
  header.writeUInt32LE(0x80, 0x3c);
  header.write('PE\0\0', 0x80, 'latin1');
  header.writeUInt16LE(architecture === 'amd64' ? 0x8664 : 0xaa64, 0x84);
  header.writeUInt16LE(1, 0x86); // sections
  header.writeUInt16LE(240, 0x94); // optional header
  header.writeUInt16LE(0x22, 0x96); // executable, large addresses
  header.writeUInt16LE(0x20b, 0x98); // PE32+
  header.writeBigUInt64LE(0x1_4000_0000n, 0x98 + 24);
  const row = 0x98 + 240;
  header.write('.data', row, 'latin1');
  header.writeUInt32LE(data.length, row + 8);
  header.writeUInt32LE(0x1000, row + 12);
  header.writeUInt32LE(data.length, row + 16);
  header.writeUInt32LE(headerBytes, row + 20);
  header.writeUInt32LE(0xc000_0040, row + 36);
  return Buffer.concat([header, data]);
}

/** The header, then two strings with their length as uvarint; the module text stands between two sentinels (spec upstream 6). */
export function buildInfo(
  goVersion: string,
  module: Module,
  dependencies: readonly Module[] = [{ path: 'example.test/dep', version: 'v1.0.0', sum: 'h1:none' }],
): Buffer {
  const line = (word: string, { path, version, sum = '' }: Module): string =>
    `${word}\t${path}\t${version}\t${sum}\n`;
  const modules = [line('mod', module), ...dependencies.map((one) => line('dep', one))].join('');
  const text = `path\t${module.path}\n${modules}build\tGOOS=windows\n`;
  const sentinel = Buffer.alloc(16, 0xaa);
  return Buffer.concat([
    Buffer.from('\xff Go buildinf:', 'latin1'),
    Buffer.from([8, 2]),
    Buffer.alloc(16),
    lengthFirst(Buffer.from(goVersion)),
    lengthFirst(Buffer.concat([sentinel, Buffer.from(text), sentinel])),
  ]);
}

function lengthFirst(bytes: Buffer): Buffer {
  const prefix: number[] = [];
  for (let rest = bytes.length; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.concat([Buffer.from([...prefix, rest]), bytes]);
    prefix.push((rest & 0x7f) | 0x80);
  }
}

/**
 * A real exe, by the real go command and with the very flags of a release (contract section 5): the module is served from a
 * folder, so no network is used.
 */
export async function buildGoExe(
  dir: string,
  { path, version }: Module,
  architecture: 'amd64' | 'arm64',
): Promise<string> {
  const proxy = join(dir, 'proxy');
  await writeModule(join(proxy, path, '@v'), path, version);
  const gopath = join(dir, 'gopath');
  const env = {
    GOPATH: gopath,
    GOMODCACHE: join(gopath, 'pkg', 'mod'),
    GOCACHE: goBuildsDir,
    GOPROXY: pathToFileURL(proxy).href,
    GONOSUMDB: '*',
    GOFLAGS: '-modcacherw',
    GOENV: 'off',
    GOTOOLCHAIN: 'local',
    CGO_ENABLED: '0',
    GOOS: 'windows',
    GOARCH: architecture,
  };
  const flags = ['-trimpath', '-buildvcs=false', '-ldflags', '-s -w -buildid='];
  await mustRun('go', ['install', ...flags, `${path}@${version}`], { env, cwd: dir });
  const isNative =
    process.platform === 'win32' && process.arch === (architecture === 'amd64' ? 'x64' : 'arm64');
  const name = `${path.split('/').at(-1)}.exe`;
  return join(gopath, 'bin', ...(isNative ? [] : [`windows_${architecture}`]), name);
}

async function writeModule(dir: string, path: string, version: string): Promise<void> {
  const mod = `module ${path}\n\ngo 1.21\n`;
  const zip = new AdmZip();
  zip.addFile(`${path}@${version}/go.mod`, Buffer.from(mod));
  zip.addFile(
    `${path}@${version}/main.go`,
    Buffer.from('package main\n\nfunc main() { println("hello") }\n'),
  );
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'list'), `${version}\n`);
  await writeFile(
    join(dir, `${version}.info`),
    JSON.stringify({ Version: version, Time: '2024-01-01T00:00:00Z' }),
  );
  await writeFile(join(dir, `${version}.mod`), mod);
  await writeFile(join(dir, `${version}.zip`), zip.toBuffer());
}
