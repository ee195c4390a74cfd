import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestBytes } from '../../formats/digest.ts';
import type { Asset, Fetched, Found, UnpackedExe } from '../../manifest-gen/release.ts';
import { Tool } from '../../manifest-gen/tool-file/tools.ts';

/** A tool with a forge and a module, like the real ones but nobody's. */
export function makeTool(changes: Partial<Tool> = {}): Tool {
  return Tool.parse({
    tool: 'gadget',
    command: 'gdg',
    first: '1.2.3',
    sources: [
      {
        kind: 'github',
        repository: 'example/gadget',
        assets: { amd64: 'gadget_{version}_amd64.exe', arm64: 'gadget_{version}_arm64.exe' },
        checksums: 'checksums.txt',
        minisig: 'checksums.txt.minisig',
      },
      {
        kind: 'go-module',
        modules: [{ module: 'example.test/gadget', main: 'example.test/gadget/cmd/gdg' }],
      },
    ],
    module: [{ path: 'example.test/gadget' }],
    trust: { require: ['pe'] },
    ...changes,
  });
}

export function makeFound(changes: Partial<Found> = {}): Found {
  return {
    tool: makeTool(),
    version: '1.2.3',
    kind: 'github',
    upstream: 'github.com/example/gadget@v1.2.3',
    fingerprint: '0'.repeat(64),
    published: undefined,
    offers: [{ architecture: 'amd64' }],
    details: undefined,
    ...changes,
  };
}

/** A file on disk as a source hands it over. */
export async function makeAsset(bytes: Buffer, changes: Partial<Asset> = {}): Promise<Asset> {
  const { name = 'gadget_1.2.3_amd64.exe' } = changes;
  const path = join(await mkdtemp(join(tmpdir(), 'asset-')), name);
  await writeFile(path, bytes);
  return { architecture: 'amd64', name, path, digest: digestBytes(bytes), ...changes };
}

export function makeFetched(assets: readonly Asset[], changes: Partial<Fetched> = {}): Fetched {
  return { found: makeFound(), assets, sidecars: [], ...changes };
}

/** The exe of an asset that is the exe itself. */
export function bareExe(asset: Asset): UnpackedExe {
  return { asset, architecture: asset.architecture, path: asset.path, digest: asset.digest };
}
