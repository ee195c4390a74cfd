import { isDeepStrictEqual } from 'node:util';
import { digestBytes } from '../../../formats/digest.ts';
import type { Asset, Found, Unpacked } from '../../release.ts';
import type { Tool } from '../../tool-file/tools.ts';
import { readRootText } from '../../verify/keyless/trusted-root.ts';
import { type BundledRelease, pathPart } from './format.ts';
import type { BundleFile } from './write-bundle.ts';

export type BundlePart = { readonly release: BundledRelease; readonly files: readonly BundleFile[] };

/** Every file as upstream offered it, under a name that says what it is. */
export function partOf({ fetched }: Unpacked, recordText: string): BundlePart {
  const { found, assets, sidecars, licenseText, licenses, notesText } = fetched;
  const folder = `${found.tool.tool}/${found.version}/${found.kind}`;
  const place = (name: string): string => `${folder}/${pathPart(name)}`;
  const license =
    licenseText === undefined ? undefined : { path: `${folder}.LICENSE.txt`, text: licenseText };
  const notes = notesText === undefined ? undefined : { path: `${folder}.notes.md`, text: notesText };
  const record = { path: `${folder}.release.json`, text: recordText };
  return {
    release: {
      ...releaseOf(found),
      assets: assets.map((asset) => {
        const { digest: _digest, ...facts } = asset;
        return { ...facts, path: place(placeName(asset)) };
      }),
      sidecars: sidecars.map(({ name }) => ({ name, path: place(name) })),
      ...(license && { license: license.path }),
      ...(licenses && { licenses }),
      ...(notes && { notes: notes.path }),
      record: record.path,
    },
    files: eachOnce([
      ...assets.map((asset) => {
        const { path: source, digest } = asset;
        return { path: place(placeName(asset)), source, digest };
      }),
      ...sidecars.map(({ name, text }) => ({ path: place(name), text })),
      ...[license, notes, record].filter((file) => file !== undefined),
    ]),
  };
}

function releaseOf({ tool, version, kind, upstream, fingerprint, published }: Found) {
  const when = published === undefined ? {} : { published: published.toISOString() };
  return { tool: tool.tool, version, kind, upstream, fingerprint, ...when };
}

/** Two exes that were built here have the same name. */
function placeName({ name, architecture, goModule }: Asset): string {
  return goModule === undefined ? name : `${architecture}-${name}`;
}

/** One package of npm may have the exes of both architectures: it is one file with one set of evidence. */
function eachOnce(files: readonly BundleFile[]): readonly BundleFile[] {
  return files.filter((file, at) => !files.slice(0, at).some((other) => isDeepStrictEqual(other, file)));
}

/** The roots that keyless signatures were verified by, each once. */
export async function rootsOf(tools: readonly Tool[]): Promise<readonly { path: string; text: string }[]> {
  const roots = new Map<string, { path: string; text: string }>();
  for (const { tool, trust } of tools) {
    if (trust.sigstore === undefined) continue;
    const text = await readRootText(trust.sigstore.trustedRoot);
    const name = trust.sigstore.trustedRoot === undefined ? 'public-good' : tool;
    const { sha256 } = digestBytes(Buffer.from(text));
    if (!roots.has(sha256)) roots.set(sha256, { path: `roots/${name}.json`, text });
  }
  return [...roots.values()];
}
