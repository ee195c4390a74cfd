import { isReleaseName } from '../../formats/tool-name.ts';
import type { Payloads } from '../catalog/payloads.ts';
import { commitRules } from './commit-rules.ts';
import { fileRules } from './file-rules.ts';
import { readManifestFile } from './manifest-file.ts';
import { manifestRules } from './manifest-rules.ts';
import { subjectOf } from './objects.ts';
import { type Push, payloadOfUrl } from './push.ts';

/** They compare branches, or look at more than the file. */
const otherRules: ReadonlySet<string> = new Set(['required-files', 'main-is-stable', 'beta-offers-main']);

export type ManifestFaultsDeps = {
  readonly payloads: Pick<Payloads, 'find'>;
  readonly publicUrl: () => string;
};

/** What the rules for pushes would say about a manifest that is uploaded for later, and whether its version is the named one. */
export async function manifestFaults(
  { payloads, publicUrl }: ManifestFaultsDeps,
  { tool, version, text, message }: Readonly<Record<'tool' | 'version' | 'text' | 'message', string>>,
): Promise<string[]> {
  const bytes = Buffer.from(text);
  const manifest = readManifestFile(bytes);
  const base = `${publicUrl()}/dl/`;
  const sha256 = new Map<string, string>();
  for (const { url } of manifest.downloads) {
    const named = payloadOfUrl(base, url);
    const payload = named && (await payloads.find(named.tool, named.version, named.file));
    if (payload !== undefined) sha256.set(url, payload.sha256);
  }
  const after = { mode: '100644', bytes, hasCrlf: text.includes('\r\n'), manifest };
  const change = { path: `bucket/${tool}.json`, before: undefined, after, hasCaseCollision: false };
  const subject = subjectOf(message);
  const commit = { oid: '', subject, encoding: undefined, parentCount: 1, changes: [change], lacks: [] };
  const push: Push = {
    pusher: { keyId: '', name: '', scopes: [], ids: [] },
    ...{ reservedIds: [], approvals: [], updates: [], isAtomic: true, isShallow: false, tags: [] },
    advances: [{ channel: 'beta', isForward: true, commits: [commit] }],
    offers: { main: new Map(), beta: new Map() },
    payloads: { base, sha256 },
    held: new Set(),
  };
  const faults = [...fileRules, ...manifestRules, ...commitRules]
    .filter(({ name }) => !otherRules.has(name))
    .flatMap(({ check }) => check(push))
    // Each begins with the commit, which there is none of.
    .map((fault) => fault.replace(/^: /, ''));
  if (!isReleaseName({ tool, version })) faults.push(`git has no tag named ${tool}/v${version}`);
  return manifest.problem === undefined && manifest.version !== version
    ? [...faults, `its version is ${manifest.version}, not ${version}`]
    : faults;
}
