import type { LocalFile } from '../../formats/digest.ts';
import { readPrograms } from '../../formats/go-buildinfo.ts';
import type { ReleaseRecord } from '../../formats/release-record.ts';
import type { Rendered } from '../release.ts';
import { type Addresses, payloadFile, placePayload, sbomFile } from '../tool-file/payload-place.ts';
import type { Tool } from '../tool-file/tools.ts';

/** All that is published of one version, as files on this machine, wherever they come from. */
export type Artifacts = {
  readonly tool: Pick<Tool, 'tool' | 'packageId'>;
  readonly version: string;
  readonly nupkg: LocalFile;
  readonly manifestText: string;
  /** The shims have none. */
  readonly recordText?: string;
  /** The files that the manifest names, under the names that an uploader knows. */
  readonly expected: readonly { readonly file: string; readonly url: string; readonly sha256: string }[];
  /** Our own files among these, to be put there. */
  readonly payloads: readonly (LocalFile & { readonly file: string })[];
  /** What the exes are made of, rendered when it is wanted: its library is a part of the start of every verb otherwise. */
  readonly sbom?: { readonly file: string; readonly text: () => Promise<string> };
};

/** Of a package that was made here. */
export function artifactsOf(rendered: Rendered, nupkg: LocalFile, addresses: Addresses): Artifacts {
  const { tool, packageVersion: version, record, recordText, exes, manifestText } = rendered;
  return {
    ...{ tool, version, nupkg, manifestText, recordText },
    expected: expectedFiles(tool, record, addresses),
    payloads: exes.map(({ architecture, path, digest }) => ({
      file: payloadFile(tool, architecture),
      path,
      digest,
    })),
    sbom: {
      file: sbomFile(tool),
      text: async () => {
        if (rendered.sbomText !== undefined) return rendered.sbomText;
        const { renderSbom } = await import('./render/sbom.ts');
        return renderSbom(rendered, await readPrograms(exes));
      },
    },
  };
}

/** The files that a manifest names. */
export function expectedFiles(
  tool: Tool,
  record: ReleaseRecord,
  { payloadUrl }: Addresses,
): Artifacts['expected'] {
  return record.payloads.map((payload) => {
    const { url, sha256 } = placePayload(payloadUrl, tool, record, payload);
    const file = payload.asset?.sha256 === sha256 ? payload.asset.name : payload.file;
    return { file, url, sha256 };
  });
}
