import * as z from 'zod';
import { readJson } from '../../../formats/json.ts';
import type { Architecture, ReleaseRecord } from '../../../formats/release-record.ts';
import { License } from '../../../formats/scoop-fields.ts';
import { parseScoopManifest, printScoopManifest } from '../../../formats/scoop-manifest.ts';
import {
  type Addresses,
  exeName,
  isUpstreamPlace,
  placeAnyVersion,
  placePayload,
} from '../../tool-file/payload-place.ts';
import type { Tool } from '../../tool-file/tools.ts';

/** In Scoop's order (spec scoop 3.2). */
const scoopNames: readonly (readonly [Architecture, '64bit' | 'arm64'])[] = [
  ['amd64', '64bit'],
  ['arm64', 'arm64'],
];

/**
 * The Scoop manifest: buckets/go-win-tools/TOOL.json with what is this version's. `autoupdate` must also be right for every
 * older version, since `scoop install TOOL@VERSION` fills it in (spec scoop 2.2, 2.4): only $version is used in it.
 * @throws FormatError JSON_*, MANIFEST_INVALID when the template and this do not make a manifest
 */
export function renderManifest(
  template: string,
  tool: Tool,
  record: ReleaseRecord,
  addresses: Addresses,
): string {
  const payloads = scoopNames.flatMap(([architecture, name]) =>
    record.payloads
      .filter((one) => one.architecture === architecture)
      .map((payload) => ({ ...payload, name })),
  );
  const { publicUrl, payloadUrl } = addresses;
  const placed = payloads.map((payload) => {
    const file = placePayload(payloadUrl, tool, record, payload);
    return { ...payload, ...file, anyVersion: placeAnyVersion(payloadUrl, tool, payload.architecture) };
  });
  const autoupdate = placed.flatMap(({ name, anyVersion, savedAs }) =>
    anyVersion === undefined ? [] : [[name, { url: saved(anyVersion, savedAs) }] as const],
  );
  const manifest = {
    ...Template.parse(readJson(template)),
    version: record.version,
    architecture: Object.fromEntries(
      placed.map(({ name, url, sha256, savedAs, extractDir }) => [
        name,
        {
          url: saved(url, savedAs),
          hash: sha256,
          ...(extractDir === undefined ? {} : { extract_dir: extractDir }),
        },
      ]),
    ),
    bin: exeName(tool),
    ...(publicUrl === undefined
      ? {}
      : { checkver: { url: `${publicUrl}/m/${tool.tool}.json`, jsonpath: '$.version' } }),
    ...(autoupdate.length === 0
      ? {}
      : {
          autoupdate: {
            architecture: Object.fromEntries(autoupdate),
            // a file with nothing but the hash: Scoop takes the wrong line of a longer one (spec scoop 2.3)
            ...(isUpstreamPlace(payloadUrl) ? {} : { hash: { url: '$url.sha256' } }),
          },
        }),
  };
  return printScoopManifest(parseScoopManifest(JSON.stringify(manifest)));
}

/** The SPDX expression that a template names; empty if it names none, which makes an invalid manifest. */
export function licenseIn(template: string): string {
  const license = License.safeParse(Template.parse(readJson(template)).license).data ?? '';
  return typeof license === 'string' ? license : license.identifier;
}

/** No manifest yet: version and addresses are missing. */
const Template = z.record(z.string(), z.unknown());

/** Scoop gives a download this name (spec scoop 3.1). */
function saved(url: string, name: string | undefined): string {
  return name === undefined ? url : `${url}#/${name}`;
}
