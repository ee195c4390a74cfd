import { describe, expect, it } from 'vitest';
import { digestBytes } from '../../../formats/digest.ts';
import type { PackageRow } from '../../../server/catalog/catalog.ts';
import { type ManifestVersion, readApps } from '../../../server/gallery/apps.ts';
import { createPackageContent } from '../../../server/gallery/package-content.ts';
import { makeNupkg } from '../../kit/nupkg.ts';

const exe = 'the exe';
const { sha256: hash } = digestBytes(Buffer.from(exe));
const record = JSON.stringify({ tool: 'delve' });
const ours = { 'tools/dlv.exe': exe, 'tools/release.json': record };
const main = { 'main delve': { version: '1.2.0', hashes: ['0'.repeat(64), hash] } };

describe("Scoop's name of a package", () => {
  it.each<{
    name: string;
    id: string;
    files: Record<string, string>;
    offers: Record<string, ManifestVersion>;
    app: string | undefined;
  }>([
    { name: 'its own, whatever is in it', id: 'delve', files: {}, offers: main, app: 'delve' },
    {
      name: 'none while the manifest offers another version, such as one that was withdrawn',
      id: 'delve',
      files: ours,
      offers: { 'main delve': { version: '1.2.1', hashes: [hash] } },
      app: undefined,
    },
    {
      name: 'the same version spelled otherwise',
      id: 'delve',
      files: {},
      offers: { 'main delve': { version: '1.2', hashes: [] } },
      app: 'delve',
    },
    { name: 'that of its tool, whose exe it has', id: 'bank-delve', files: ours, offers: main, app: 'delve' },
    {
      name: 'none when it only claims the tool',
      id: 'other',
      files: { ...ours, 'tools/dlv.exe': 'another exe' },
      offers: main,
      app: undefined,
    },
    {
      name: "none when it has another exe besides the tool's",
      id: 'other',
      files: { ...ours, 'tools/more.exe': 'another exe' },
      offers: main,
      app: undefined,
    },
    {
      name: 'none when it claims a tool and has no exe',
      id: 'other',
      files: { 'tools/release.json': record },
      offers: { 'main delve': { version: '1.2.0', hashes: [] } },
      app: undefined,
    },
    {
      name: 'none without a record',
      id: 'other',
      files: { 'tools/dlv.exe': exe },
      offers: main,
      app: undefined,
    },
    {
      name: 'none of another channel',
      id: 'bank-delve',
      files: ours,
      offers: { 'beta delve': { version: '1.2.0', hashes: [hash] } },
      app: undefined,
    },
  ])('is $name', async ({ id, files, offers, app }) => {
    const nupkg = makeNupkg({ id, version: '1.2.0', files });
    const row = { id, normalizedVersion: '1.2.0', sha256: hash, sizeBytes: nupkg.length } as PackageRow;
    const content = createPackageContent({
      readTo: (_, { start, end }, take) => take(nupkg.subarray(start, end + 1)),
    });
    const bucket = { readManifest: async (channel: string, tool: string) => offers[`${channel} ${tool}`] };

    expect(await readApps({ bucket, content }, row, undefined)).toEqual({ main: app, beta: undefined });
  });
});
