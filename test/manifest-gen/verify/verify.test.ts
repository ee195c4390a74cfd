import { copyFile, mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Asset, Fetched, GoModule, Verdict } from '../../../manifest-gen/release.ts';
import { verifyFetched, verifyUnpacked } from '../../../manifest-gen/verify/verify.ts';
import { buildGoExe, hasGo, makeTinyExe, type TinyExe } from '../../kit/exe.ts';
import { bareExe, makeAsset, makeFetched, makeFound, makeTool } from '../../kit/release-values.ts';
import { makeMinisignSigner } from '../../kit/signer.ts';

const gadget = { path: 'example.test/gadget', version: 'v1.2.3', sum: 'h1:x' };
const exe = makeTinyExe({ module: gadget });
const page = Buffer.from('<!DOCTYPE html>\n<html><body>Unicorn!</body></html>');

describe('a fetched release', () => {
  const signer = makeMinisignSigner();

  it('passes with the digest of the source, a checksum file and its signature', async () => {
    const fetched = await signedRelease();

    const verdicts = await verifyFetched(fetched);

    expect(brief(verdicts)).toEqual([
      'digest passed gadget_1.2.3_amd64.exe',
      'checksum passed gadget_1.2.3_amd64.exe',
      'minisign passed checksums.txt',
    ]);
    expect(verdicts[2]).toMatchObject({ keyId: signer.keyId });
  });

  it('has absent evidence where upstream promises some and has none', async () => {
    const verdicts = await verifyFetched(makeFetched([await makeAsset(exe)]));

    expect(brief(verdicts)).toEqual([
      'digest absent gadget_1.2.3_amd64.exe',
      'checksum absent gadget_1.2.3_amd64.exe',
      'minisign absent checksums.txt',
    ]);
  });

  it.each<[string, Partial<Asset>, string, string]>([
    ['another size', { expectedBytes: 7 }, '7 bytes', `${exe.length} bytes`],
    [
      'another digest',
      { stated: { algorithm: 'sha256', hex: 'a'.repeat(64) } },
      `SHA-256 ${'a'.repeat(64)}`,
      '',
    ],
    ['an exe that is called a zip', { name: 'gadget.zip' }, 'a zip archive', 'a Windows program'],
  ])('fails on %s', async (_, changes, expected, found) => {
    const [digest] = await verifyFetched(makeFetched([await makeAsset(exe, changes)]));

    expect(digest).toMatchObject({ kind: 'digest', verdict: 'failed', expected });
    expect(digest?.found).toContain(found);
  });

  it('fails on an HTML page in place of a zip, even when nobody states a digest (spec upstream 2)', async () => {
    const [digest] = await verifyFetched(makeFetched([await makeAsset(page, { name: 'gadget.zip' })]));

    expect(digest).toMatchObject({ verdict: 'failed', expected: 'a zip archive', found: 'an HTML page' });
  });

  it('fails when the right hash is in a file that somebody else signed (as happened to goreleaser v2.15.0)', async () => {
    const fetched = await signedRelease(makeMinisignSigner());

    const minisign = (await verifyFetched(fetched)).find(({ kind }) => kind === 'minisign');

    expect(minisign).toMatchObject({
      verdict: 'failed',
      expected: `a minisign signature by ${signer.keyId}`,
    });
  });

  it('has no minisign evidence when no key is trusted', async () => {
    const fetched = await signedRelease();
    const verdicts = await verifyFetched({ ...fetched, found: makeFound() });

    expect(brief(verdicts)).toContain('minisign absent checksums.txt');
  });

  it.each([
    [true, 'passed'],
    [false, 'absent'],
  ])(
    'from the Go proxy has the checksum database as its evidence (asked: %s)',
    async (isSumChecked, verdict) => {
      const goModule: GoModule = {
        ...gadget,
        path: 'example.test/gadget/cmd/gdg',
        module: gadget.path,
        toolchain: 'go1.26.8',
        tags: '',
        ldflags: '',
        isSumChecked,
      };
      const assets = [
        await makeAsset(exe, { goModule }),
        await makeAsset(exe, { goModule, architecture: 'arm64' }),
      ];

      const verdicts = await verifyFetched(makeFetched(assets, { found: makeFound({ kind: 'go-module' }) }));

      expect(brief(verdicts)).toEqual([`sumdb ${verdict} example.test/gadget@v1.2.3`]);
    },
  );

  async function signedRelease(by = signer): Promise<Fetched> {
    const asset = await makeAsset(exe);
    const text = `${'0'.repeat(64)}  ${asset.name}.sbom\n${asset.digest.sha256}  ${asset.name}\n`;
    const stated = { algorithm: 'sha256', hex: asset.digest.sha256 } as const;
    return makeFetched([{ ...asset, stated, expectedBytes: exe.length }], {
      found: makeFound({
        tool: makeTool({ trust: { require: [], minisign: { keys: [signer.publicKey] } } }),
      }),
      sidecars: [
        { name: 'checksums.txt', text },
        { name: 'checksums.txt.minisig', text: by.sign(text) },
      ],
    });
  }
});

describe('an unpacked exe', () => {
  it.each<[string, TinyExe | Buffer, Verdict['verdict'], Verdict['verdict'], string | undefined]>([
    ['of the right module and machine', { module: gadget }, 'passed', 'passed', undefined],
    [
      'whose version upstream left out',
      { module: { ...gadget, version: '(devel)' } },
      'passed',
      'absent',
      undefined,
    ],
    [
      'built from a changed checkout of the tag',
      { module: { ...gadget, version: 'v1.2.3+dirty' } },
      'passed',
      'passed',
      undefined,
    ],
    [
      'built from a commit between releases',
      { module: { ...gadget, version: 'v1.2.4-0.20240101000000-0123456789ab' } },
      'passed',
      'absent',
      undefined,
    ],
    [
      'of another version',
      { module: { ...gadget, version: 'v1.2.2' } },
      'passed',
      'failed',
      'example.test/gadget v1.2.2',
    ],
    [
      'of another module',
      { module: { ...gadget, path: 'example.test/evil' } },
      'passed',
      'failed',
      'module example.test/evil',
    ],
    ['without build info', {}, 'passed', 'absent', undefined],
    [
      'for another machine',
      { module: gadget, architecture: 'arm64' },
      'failed',
      'passed',
      'a Windows program for arm64',
    ],
    ['that is an HTML page', page, 'failed', 'absent', 'an HTML page'],
    ['that is a zip', Buffer.from('PK\x03\x04rest'), 'failed', 'absent', 'a zip archive'],
    ['that is empty', Buffer.alloc(0), 'failed', 'absent', 'an empty file'],
    ['that is cut off', exe.subarray(0, 100), 'failed', 'absent', 'a damaged Windows program'],
    [
      'that is cut off in its last section',
      exe.subarray(0, -1),
      'failed',
      'passed',
      'a Windows program that was cut off',
    ],
    ['that is a library', changed(0x97, 0x20), 'failed', 'passed', 'a Windows library'],
    ['with 32-bit headers', changed(0x99, 0x01), 'failed', 'absent', 'a Windows program with 32-bit headers'],
  ])('%s', async (_, content, pe, buildinfo, found) => {
    const bytes = Buffer.isBuffer(content) ? content : makeTinyExe(content);
    const asset = await makeAsset(bytes);

    const verdicts = await verifyUnpacked({ fetched: makeFetched([asset]), exes: [bareExe(asset)] });

    expect(brief(verdicts)).toEqual([
      `pe ${pe} gdg-windows-amd64.exe`,
      `buildinfo ${buildinfo} gdg-windows-amd64.exe`,
      'authenticode absent gdg-windows-amd64.exe',
    ]);
    expect(verdicts.find(({ verdict }) => verdict === 'failed')?.found).toBe(found);
  });

  it("is called by upstream's own name when it fails", async () => {
    const asset = await makeAsset(Buffer.from('no program'), { name: 'gadget.zip' });
    const inZip = { ...bareExe(asset), path: join(asset.path, '..', 'gdg.exe') };
    await copyFile(asset.path, inZip.path);

    const [raw] = await verifyUnpacked({ fetched: makeFetched([asset]), exes: [bareExe(asset)] });
    const [zipped] = await verifyUnpacked({ fetched: makeFetched([asset]), exes: [inZip] });

    expect(raw).toMatchObject({ subject: 'gdg-windows-amd64.exe', file: 'gadget.zip' });
    expect(zipped).toMatchObject({ subject: 'gdg-windows-amd64.exe', file: 'gdg.exe in gadget.zip' });
  });

  it("that was built here must contain the module with the checksum database's sum", async () => {
    const goModule: GoModule = {
      ...gadget,
      module: gadget.path,
      sum: 'h1:other',
      toolchain: 'go1.26.8',
      tags: '',
      ldflags: '',
      isSumChecked: true,
    };
    const asset = await makeAsset(exe, { goModule });

    const verdicts = await verifyUnpacked({ fetched: makeFetched([asset]), exes: [bareExe(asset)] });

    expect(verdicts[1]).toMatchObject({
      verdict: 'failed',
      expected: 'module sum h1:other',
      found: 'module sum h1:x',
    });
  });

  it.skipIf(!hasGo).each(['amd64', 'arm64'] as const)(
    'that go really built for windows/%s passes (needs go)',
    async (architecture) => {
      const path = await buildGoExe(await mkdtemp(join(tmpdir(), 'verify-')), gadget, architecture);
      const asset = await makeAsset(await readFile(path), { architecture });

      const verdicts = await verifyUnpacked({ fetched: makeFetched([asset]), exes: [bareExe(asset)] });

      expect(verdicts.map(({ verdict }) => verdict)).toEqual(['passed', 'passed', 'absent']);
    },
  );
});

/** The exe with one byte of its headers changed. */
function changed(at: number, value: number): Buffer {
  const bytes = Buffer.from(exe);
  bytes[at] = value;
  return bytes;
}

function brief(verdicts: readonly Verdict[]): string[] {
  return verdicts.map(({ kind, verdict, subject }) => `${kind} ${verdict} ${subject}`);
}
