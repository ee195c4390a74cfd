import { renderRecord } from '../../manifest-gen/build/render/release-record.ts';
import { renderRelease } from '../../manifest-gen/build/render/render.ts';
import type { Rendered } from '../../manifest-gen/release.ts';
import { makeTinyExe } from './exe.ts';
import { bareExe, makeAsset, makeFetched, makeFound } from './release-values.ts';

const nuspec = `<?xml version="1.0"?>
<package xmlns="http://schemas.microsoft.com/packaging/2015/06/nuspec.xsd"><metadata>
  <id>gadget</id><version>0.0.0</version><title>Gadget</title><authors>Example</authors>
  <summary>Turns widgets and gears</summary>
  <description>Turns widgets &amp; gears, whichever way they go.</description><tags>gadget cli</tags>
  <projectUrl>https://example.test/gadget</projectUrl>
  <releaseNotes>https://example.test/gadget/releases/v{version}</releaseNotes>
</metadata><files><file src="x" target="y" /></files></package>
`;
const manifest = JSON.stringify({
  description: 'Turns widgets.',
  homepage: 'https://example.test/gadget',
  license: 'MIT',
});

export const gadgetTemplates = {
  nuspec,
  nuspecFile: 'gadget.nuspec',
  manifest,
  license: 'Do what you like.\r\n',
};
export const gadgetAddresses = {
  publicUrl: 'http://feed.test',
  payloadUrl: 'http://feed.test/dl/{tool}/{version}/{file}',
};

/** Half a megabyte that a compressor has to think about, the same every time. */
const filler = Array.from({ length: 40_000 }, (_, n) =>
  (Math.imul(n, 2_654_435_761) >>> 12).toString(36),
).join(' ');

/** A whole small release, ready to be packed: the same every time but for the folders that its files lie in. */
export async function makeRendered(packageVersion = '1.2.3-beta.1'): Promise<Rendered> {
  const module = { path: 'example.test/gadget', version: 'v1.2.3' };
  const assets = await Promise.all([
    makeAsset(makeTinyExe({ module, filler })),
    makeAsset(makeTinyExe({ module, filler, architecture: 'arm64' }), {
      architecture: 'arm64',
      name: 'gadget_1.2.3_arm64.exe',
    }),
  ]);
  const exes = assets.map(bareExe);
  const found = makeFound({ offers: [{ architecture: 'amd64' }, { architecture: 'arm64' }] });
  const unpacked = { fetched: makeFetched(assets, { found }), exes };
  const verdicts = [
    { kind: 'pe', verdict: 'passed', subject: 'gdg-windows-amd64.exe', detail: 'The exe is fine.' },
  ] as const;
  const record = renderRecord(unpacked, verdicts, packageVersion, '1:test');
  return renderRelease(record, {
    tool: found.tool,
    templates: gadgetTemplates,
    addresses: gadgetAddresses,
    exes,
  });
}
