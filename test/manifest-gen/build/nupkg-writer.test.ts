import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import AdmZip from 'adm-zip';
import { describe, expect, it } from 'vitest';
import { digestBytes, digestFile } from '../../../formats/digest.ts';
import { openNupkg } from '../../../formats/nupkg.ts';
import { keepPacked, type PackedExes } from '../../../formats/packed-exes.ts';
import { packNupkg } from '../../../manifest-gen/build/nupkg-writer.ts';
import { nodePath } from '../../kit/nodes.ts';
import { hasNuget, makeNuget } from '../../kit/nuget.ts';
import { hasProgram, mustRun } from '../../kit/programs.ts';
import { makeRendered } from '../../kit/rendered.ts';

const root = join(import.meta.dirname, '..', '..', '..');

/**
 * What the small release packs to. If this changes, every package ever published would be packed to other bytes by a rerun:
 * do it only with a new packagingNumber in build/render/packaging.ts (docs/decisions/0003).
 */
const pinned = '3c379c00b4270893072b417be846fb0db3121dad35698e6832fdb709eeee4916';

describe('a nupkg', () => {
  it('has exactly these bytes', async () => {
    const packed = await packNupkg(await makeRendered(), await folder());

    expect(packed.digest.sha256).toBe(pinned);
    expect(packed.path).toMatch(/gadget\.1\.2\.3-beta\.1\.nupkg$/);
    expect(await digestFile(packed.path)).toEqual(packed.digest);
  });

  it('has the same bytes in another time zone, language and folder', async () => {
    const dir = join(await folder(), 'Ordner mit Löchern');
    await mkdir(dir);
    const env = { TZ: 'Asia/Kolkata', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' };

    expect(await packIn(dir, process.execPath, env)).toBe(pinned);
  });

  it.skipIf(nodePath(22) === undefined)('has the same bytes on Node 22 (needs it from npm)', async () => {
    expect(await packIn(await folder(), nodePath(22)!)).toBe(pinned);
  });

  it.skipIf(nodePath(24) === undefined)('has the same bytes on Node 24 (needs it from npm)', async () => {
    expect(await packIn(await folder(), nodePath(24)!, { TZ: 'America/New_York' })).toBe(pinned);
  });

  it('can be read by our own reader and adm-zip', async () => {
    const rendered = await makeRendered();
    const { path: nupkgPath } = await packNupkg(rendered, await folder());
    const names = [
      '[Content_Types].xml',
      '_rels/.rels',
      'gadget.nuspec',
      'tools/gdg.exe',
      'tools/LICENSE.txt',
      'tools/VERIFICATION.txt',
      'tools/release.json',
    ];

    const nupkg = await openNupkg(nupkgPath);
    try {
      expect(nupkg.entries.map(({ name }) => name)).toEqual(names);
      expect(nupkg.nuspec).toMatchObject({ id: 'gadget', version: '1.2.3-beta.1' });
      expect(digestBytes(await nupkg.readEntry('tools/gdg.exe', 1e6))).toEqual(rendered.exes[0]!.digest);
    } finally {
      await nupkg.close();
    }
    const zip = new AdmZip(nupkgPath);
    expect(zip.getEntries().map(({ entryName }) => entryName)).toEqual(names);
    expect(zip.readAsText('tools/release.json')).toBe(rendered.recordText);
  });

  it('gives every file a content type, since choco 0.10.15 ignores parts without one', async () => {
    const { path: nupkgPath } = await packNupkg(await makeRendered(), await folder());
    const zip = new AdmZip(nupkgPath);
    const typed = [...zip.readAsText('[Content_Types].xml').matchAll(/Extension="(\w+)"/g)].map(
      ([, extension]) => extension,
    );
    const extensions = zip.getEntries().map(({ entryName }) => entryName.split('.').at(-1));

    expect(typed).toEqual(expect.arrayContaining(extensions.filter((extension) => extension !== 'xml')));
    expect(zip.readAsText('_rels/.rels')).toContain('Target="/gadget.nuspec"');
  });

  it('is refused and not written when the exe is no longer the verified one', async () => {
    const rendered = await makeRendered();
    const dir = await folder();
    await writeFile(rendered.exes[0]!.path, 'another program');

    await expect(packNupkg(rendered, dir)).rejects.toMatchObject({ code: 'REFUSED', exitCode: 3 });
    expect(await readdir(dir)).toEqual([]);
  });

  it('is refused and not written when only the last byte of a long exe differs', async () => {
    const rendered = await makeRendered();
    const dir = await folder();
    await appendFile(rendered.exes[0]!.path, '!');

    await expect(packNupkg(rendered, dir)).rejects.toMatchObject({ code: 'REFUSED', exitCode: 3 });
    expect(await readdir(dir)).toEqual([]);
  });

  it('is not there when it was interrupted', async () => {
    const dir = await folder();
    const interruption = new AbortController();
    const packing = packNupkg(await makeRendered(), dir, interruption.signal);
    interruption.abort();

    await expect(packing).rejects.toMatchObject({ name: 'AbortError' });
    expect(await readdir(dir)).toEqual([]);
  });

  describe('of an exe that this run has packed already', () => {
    it('has the same bytes as one that is compressed anew, whatever was packed before', async () => {
      const packed: PackedExes = new Map();
      const [beta, stable] = [await makeRendered('1.0.0-beta.1'), await makeRendered('1.0.0')];
      await packNupkg(beta, await folder(), undefined, packed);
      // Neither of them needs the exe any more.
      await rm(stable.exes[0]!.path);
      const first = await packNupkg(stable, await folder(), undefined, packed);
      const second = await packNupkg(stable, await folder(), undefined, packed);

      const anew = await packNupkg(await makeRendered('1.0.0'), await folder());
      expect([first.digest, second.digest]).toEqual([anew.digest, anew.digest]);
    });

    it('is refused and not written when that package was changed meanwhile', async () => {
      const packed: PackedExes = new Map();
      const rendered = await makeRendered();
      const before = await packNupkg(rendered, await folder(), undefined, packed);
      const { deflated } = packed.get(rendered.exes[0]!.digest.sha256)!;
      const bytes = await readFile(before.path);
      bytes.writeUInt8(bytes.readUInt8(deflated.start + 5) ^ 1, deflated.start + 5);
      await writeFile(before.path, bytes);
      const dir = await folder();

      await expect(packNupkg(rendered, dir, undefined, packed)).rejects.toMatchObject({ code: 'REFUSED' });
      expect(await readdir(dir)).toEqual([]);
    });

    it('is compressed again when that package is gone, or another is in its place', async () => {
      const packed: PackedExes = new Map();
      const rendered = await makeRendered();
      const dir = await folder();
      const { path, digest } = await packNupkg(rendered, dir, undefined, packed);
      await rm(path);
      expect((await packNupkg(rendered, dir, undefined, packed)).digest).toEqual(digest);

      keepPacked(packed, 'of another exe', { nupkgPath: path, deflated: [...packed.values()][0]!.deflated });

      expect([...packed.keys()]).toEqual(['of another exe']);
      expect((await packNupkg(rendered, dir, undefined, packed)).digest).toEqual(digest);
    });
  });

  it.skipIf(!hasProgram('unzip'))('is whole for unzip (needs unzip)', async () => {
    const { path: nupkgPath } = await packNupkg(await makeRendered(), await folder());

    expect(await mustRun('unzip', ['-t', nupkgPath])).toContain('No errors detected');
  });

  it.skipIf(!hasNuget)('is installed by nuget.exe from a folder (needs mono)', async () => {
    const rendered = await makeRendered();
    const dir = await folder();
    await packNupkg(rendered, dir);
    const nuget = await makeNuget(dir);
    const out = join(dir, 'out');

    const result = await nuget('install', 'gadget', '-Prerelease', '-Source', dir, '-OutputDirectory', out);

    expect(result.code, result.stdout + result.stderr).toBe(0);
    const installed = join(out, 'gadget.1.2.3-beta.1', 'tools');
    expect(await digestFile(join(installed, 'gdg.exe'))).toEqual(rendered.exes[0]!.digest);
    expect(await readFile(join(installed, 'VERIFICATION.txt'), 'utf8')).toBe(rendered.verificationText);
  });
});

function folder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'nupkg-'));
}

function packIn(dir: string, node: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const tsx = join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs');
  return mustRun(node, [tsx, join(root, 'test', 'kit', 'pack-gadget.ts'), dir], { cwd: dir, env });
}
