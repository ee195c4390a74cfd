import { describe, expect, it } from 'vitest';
import { parseReleaseRecord, type ReleaseRecord } from '../../../../formats/release-record.ts';
import { renderRecord } from '../../../../manifest-gen/build/render/release-record.ts';
import { renderRelease } from '../../../../manifest-gen/build/render/render.ts';
import type { GoModule, Verdict } from '../../../../manifest-gen/release.ts';
import { makeTinyExe } from '../../../kit/exe.ts';
import { bareExe, makeAsset, makeFetched, makeFound, makeTool } from '../../../kit/release-values.ts';
import { gadgetAddresses, gadgetTemplates } from '../../../kit/rendered.ts';

const golden = (name: string) => `../../../golden/manifest-gen/${name}`;

describe('a release from upstream', () => {
  it('renders to these texts', async () => {
    const rendered = await renderRelease(await upstreamRecord(), inputs());

    await expect(rendered.recordText).toMatchFileSnapshot(golden('upstream.release.json'));
    await expect(rendered.nuspecText).toMatchFileSnapshot(golden('upstream.nuspec'));
    await expect(rendered.verificationText).toMatchFileSnapshot(golden('upstream.VERIFICATION.txt'));
    await expect(rendered.manifestText).toMatchFileSnapshot(golden('upstream.scoop.json'));
  });

  it('has a record that can be read back, without details that only a refusal needs', async () => {
    const { recordText } = await renderRelease(await upstreamRecord(), inputs());

    expect(parseReleaseRecord(recordText)).toEqual(await upstreamRecord());
    expect(recordText).not.toContain('expected');
  });

  it("has upstream's notes in its nuspec where the licence allows copying them", async () => {
    const notesText = '## Fixed\r\n\r\n- `a < b && c` ]]> <script>alert(1)</script>\u0000\r\n';
    const gpl = gadgetTemplates.manifest.replace('MIT', 'GPL-3.0-only');
    const record = await upstreamRecord();

    const carried = await renderRelease(record, { ...inputs(), notesText });
    const left = await renderRelease(record, {
      ...inputs(),
      notesText,
      templates: { ...gadgetTemplates, manifest: gpl },
    });

    await expect(carried.nuspecText).toMatchFileSnapshot(golden('upstream-notes.nuspec'));
    await expect(left.nuspecText).toMatchFileSnapshot(golden('upstream.nuspec'));
  });

  it('promotes by rendering the same record under the stable version', async () => {
    const beta = await upstreamRecord();
    const rendered = await renderRelease({ ...beta, version: '1.2.3' }, inputs());

    expect(rendered.packageVersion).toBe('1.2.3');
    expect(rendered.nuspecText).toContain('<version>1.2.3</version>');
    expect(rendered.manifestText).toContain('/dl/gadget/1.2.3/gdg-windows-amd64.exe#/gdg.exe');
    expect(rendered.manifestText).toContain(beta.payloads[0]!.sha256);
    expect(rendered.manifestText).not.toContain('beta');
  });
});

describe('a release that was built here', () => {
  it('renders to these texts', async () => {
    const rendered = await renderRelease(await builtRecord(), inputs());

    await expect(rendered.recordText).toMatchFileSnapshot(golden('built.release.json'));
    await expect(rendered.verificationText).toMatchFileSnapshot(golden('built.VERIFICATION.txt'));
  });

  it('says how to rebuild it with the tags and the toolchain that were used', async () => {
    const { verificationText } = await renderRelease(await builtRecord({ tags: 'exp.winarm64' }), inputs());

    expect(verificationText).toContain('GOTOOLCHAIN=go1.21.13 ');
    expect(verificationText).toContain('-tags exp.winarm64 example.test/gadget/cmd/gdg@v1.2.3');
  });
});

describe('a Scoop manifest', () => {
  it('has no arm64 where there is none, and the same architectures in autoupdate', async () => {
    const record = await upstreamRecord();
    const only = { ...record, payloads: record.payloads.slice(0, 1) };

    const { manifestText } = await renderRelease(only, inputs());
    const manifest = JSON.parse(manifestText);

    expect(Object.keys(manifest.architecture)).toEqual(['64bit']);
    expect(Object.keys(manifest.autoupdate.architecture)).toEqual(['64bit']);
  });

  it('fills its own version into autoupdate to the address that it has today (spec scoop 2.4)', async () => {
    const { manifestText } = await renderRelease(await upstreamRecord(), inputs());
    const manifest = JSON.parse(manifestText);

    for (const name of ['64bit', 'arm64']) {
      const filled = manifest.autoupdate.architecture[name].url.replaceAll('$version', manifest.version);
      expect(filled).toBe(manifest.architecture[name].url);
    }
  });

  it('points to a foreign address for payloads if one is set', async () => {
    const addresses = { ...gadgetAddresses, payloadUrl: 'https://files.test/{tool}-{version}-{file}' };

    const { manifestText } = await renderRelease(await upstreamRecord(), { ...inputs(), addresses });

    expect(manifestText).toContain('"https://files.test/gadget-1.2.3-beta.1-gdg-windows-amd64.exe#/gdg.exe"');
    expect(manifestText).toContain('"https://files.test/gadget-$version-gdg-windows-amd64.exe#/gdg.exe"');
    expect(manifestText).toContain('"http://feed.test/m/gadget.json"');
  });

  it('is refused when the template is not a valid manifest', async () => {
    const templates = {
      ...gadgetTemplates,
      manifest: '{"homepage": "https://example.test", "preinstall": "x"}',
    };

    await expect(renderRelease(await upstreamRecord(), { ...inputs(), templates })).rejects.toThrow(
      /license|preinstall/,
    );
  });
});

describe('a licence text', () => {
  it("is upstream's if it was included, with line ends of one kind", async () => {
    const { licenseText } = await renderRelease(await upstreamRecord(), {
      ...inputs(),
      licenseText: 'MIT\r\n\r\n',
    });

    expect(licenseText).toBe('MIT\n');
  });

  it('is required', async () => {
    const { license: _, ...templates } = gadgetTemplates;

    await expect(renderRelease(await upstreamRecord(), { ...inputs(), templates })).rejects.toThrow(
      'no licence text',
    );
  });
});

function inputs() {
  return { tool: makeTool(), templates: gadgetTemplates, addresses: gadgetAddresses, exes: [] };
}

const pe: Verdict = {
  kind: 'pe',
  verdict: 'passed',
  subject: 'gdg-windows-amd64.exe',
  detail: 'The exe is a Windows program for amd64.',
};

async function upstreamRecord(): Promise<ReleaseRecord> {
  const module = { path: 'example.test/gadget', version: 'v1.2.3' };
  const url = 'https://github.com/example/gadget/releases/download/v1.2.3/gadget_1.2.3_amd64.exe';
  const assets = [
    await makeAsset(makeTinyExe({ module }), { url }),
    await makeAsset(makeTinyExe({ module, architecture: 'arm64' }), {
      architecture: 'arm64',
      name: 'gadget_1.2.3_arm64.exe',
    }),
  ];
  const minisign: Verdict = {
    kind: 'minisign',
    verdict: 'absent',
    subject: 'checksums.txt',
    detail: 'There is no checksums.txt.minisig beside it.',
    keyId: '54019C796CDC8B3F',
    expected: 'only for refusals',
  };
  return renderRecord(
    { fetched: makeFetched(assets), exes: assets.map(bareExe) },
    [pe, minisign],
    '1.2.3-beta.1',
    '1:test',
  );
}

async function builtRecord(changes: Partial<GoModule> = {}): Promise<ReleaseRecord> {
  const goModule: GoModule = {
    path: 'example.test/gadget/cmd/gdg',
    module: 'example.test/gadget',
    version: 'v1.2.3',
    toolchain: 'go1.21.13',
    tags: '',
    ldflags: '-s -w -buildid=',
    sum: 'h1:RJ3qcSi212ahE8I8cHi2UuOOqTdtFHBpeMdj+v5De4Y=',
    isSumChecked: true,
    ...changes,
  };
  const asset = await makeAsset(makeTinyExe(), { goModule });
  const found = makeFound({ kind: 'go-module', upstream: 'example.test/gadget@v1.2.3' });
  return renderRecord(
    { fetched: makeFetched([asset], { found }), exes: [bareExe(asset)] },
    [pe],
    '1.2.3-beta.1',
    '1:test',
  );
}
