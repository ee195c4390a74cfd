import { posix } from 'node:path';
import { fill } from '../../formats/fill.ts';
import type { Architecture, ReleaseRecord } from '../../formats/release-record.ts';
import { sourceOf, type Tool } from './tools.ts';

type Payload = ReleaseRecord['payloads'][number];

/** Where the clients of this bucket download; requested from the server once a run, or set for another file server. */
export type Addresses = {
  /** Base of /m/TOOL.json; undefined for a feed of another make, which has no manifests. */
  readonly publicUrl: string | undefined;
  /** With {tool} {version} {file}, or with {repository} {tag} {asset}. */
  readonly payloadUrl: string;
};

/** A payload as a client downloads it. */
export type PlacedFile = {
  /** Without Scoop's `#/NAME`. */
  readonly url: string;
  /** Of the file at that address: the exe's, or that of upstream's archive. */
  readonly sha256: string;
  /** Scoop saves it under this name; undefined for an archive, which it unpacks. */
  readonly savedAs: string | undefined;
  /** The archive's folder that has the exe. */
  readonly extractDir: string | undefined;
};

/** The placeholders of PAYLOAD_URL: the first three for our files, the others for upstream's own. */
export const ownPlaceholders = ['{tool}', '{version}', '{file}'] as const;
export const upstreamPlaceholders = ['{repository}', '{tag}', '{asset}'] as const;

/** Whether a PAYLOAD_URL names upstream's own files, at the forge or at a mirror of it. */
export function isUpstreamPlace(payloadUrl: string): boolean {
  return payloadUrl.includes('{asset}');
}

/** @throws TypeError for a release without upstream's files; verbs/plan/beta-decision.ts refuses those */
export function placePayload(
  payloadUrl: string,
  tool: Tool,
  record: ReleaseRecord,
  payload: Payload,
): PlacedFile {
  const exe = exeName(tool);
  if (!isUpstreamPlace(payloadUrl)) {
    const url = payloadAddress(payloadUrl, tool, record.version, payloadFile(tool, payload.architecture));
    return { url, sha256: payload.sha256, savedAs: exe, extractDir: undefined };
  }
  const { asset } = payload;
  const at = forgeOf(record);
  if (asset === undefined || at === undefined) {
    throw new TypeError(`${record.source.upstream} has no files at a forge`);
  }
  const url = fill(payloadUrl, { ...at, asset: asset.name });
  const isBare = asset.sha256 === payload.sha256;
  return {
    url,
    sha256: asset.sha256,
    savedAs: isBare ? exe : undefined,
    extractDir: isBare ? undefined : folderOf(tool, record.source.version, payload.architecture),
  };
}

/** Whether PAYLOAD_URL has the file: upstream's own only if the release came from a forge. */
export function isPlaced(payloadUrl: string, record: ReleaseRecord, payload: Payload): boolean {
  return !isUpstreamPlace(payloadUrl) || (payload.asset !== undefined && forgeOf(record) !== undefined);
}

function forgeOf({
  source,
}: ReleaseRecord): { readonly repository: string; readonly tag: string } | undefined {
  const [, repository, tag] = /^github\.com\/([^/@]+\/[^/@]+)@(.+)$/.exec(source.upstream) ?? [];
  return repository === undefined || tag === undefined ? undefined : { repository, tag };
}

/**
 * The address for any version, in Scoop's variables; undefined when the tool's file has none. `$matchHead` is upstream's part of
 * our `1.26.3-beta.1` and `1.26.3.1` (spec scoop 2.3).
 */
export function placeAnyVersion(
  payloadUrl: string,
  tool: Tool,
  architecture: Architecture,
): string | undefined {
  if (!isUpstreamPlace(payloadUrl)) {
    return payloadAddress(payloadUrl, tool, '$version', payloadFile(tool, architecture));
  }
  const source = sourceOf(tool, 'github');
  const asset = source?.assets[architecture];
  if (source === undefined || asset === undefined) return undefined;
  const ofHead = (text: string): string => text.replaceAll('{version}', '$matchHead');
  return fill(payloadUrl, {
    repository: source.repository,
    tag: ofHead(source.tag),
    asset: ofHead(asset),
  });
}

/** The address of one of our own files: `http://host/dl/delve/1.22.0/dlv-windows-amd64.exe`. */
export function payloadAddress(
  payloadUrl: string,
  { tool }: Pick<Tool, 'tool'>,
  version: string,
  file: string,
): string {
  return fill(payloadUrl, { tool, version, file });
}

function folderOf(tool: Tool, version: string, architecture: Architecture): string | undefined {
  const member = sourceOf(tool, 'github')?.member;
  const folder = member === undefined ? '.' : posix.dirname(fillMember(member, version, architecture));
  return folder === '.' ? undefined : folder;
}

/** Where the exe is in an archive, by the tool's file. */
export function fillMember(member: string, version: string, architecture: Architecture): string {
  return member.replaceAll('{version}', version).replaceAll('{architecture}', architecture);
}

/** The name at /dl/TOOL/VERSION/, whatever upstream called it: `dlv-windows-amd64.exe` (contract section 3). */
export function payloadFile(tool: Tool, architecture: Architecture): string {
  return `${tool.command}-windows-${architecture}.exe`;
}

/** The list of what the exes are made of, beside them (contract section 3). */
export function sbomFile({ tool }: Pick<Tool, 'tool'>): string {
  return `${tool}.cdx.json`;
}

/** The program's name on a user's disk: `dlv.exe`. */
export function exeName(tool: Tool): string {
  return `${tool.command}.exe`;
}
