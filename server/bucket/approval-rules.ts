import { approvalsNeeded } from '../feed/approvals.ts';
import { isSameRelease, readManifestFile } from './manifest-file.ts';
import { isPrerelease } from './permission.ts';
import { type PushedFile, toolOfPath } from './push.ts';
import { forEachCommit, type Rule } from './rule.ts';

/** What reaches the branches only in a rollout (contract section 8): held versions, and stable ones by the setting APPROVALS. */
export const approvalRules: readonly Rule[] = [
  forEachCommit('held-for-a-rollout', ({ changes }, channel, { held }) =>
    changes.flatMap(({ path, before, after }) => {
      const [tool, version] = [toolOfPath(path), after?.manifest?.version];
      if (version === undefined || version === before?.manifest?.version || !held.has(`${tool} ${version}`))
        return [];
      return [
        `${version} of ${tool} is held for a rollout, so it cannot be pushed to ${channel}: the server does that when the rollout is completed (\`release:rollout complete ${tool}\`, \`status\` shows it)`,
      ];
    }),
  ),
  forEachCommit('approved-by-others', ({ changes }, channel, { approvals }) =>
    changes.flatMap(({ path, before, after }) => {
      const tool = toolOfPath(path);
      const manifest = after?.manifest;
      if (tool === undefined || manifest === undefined || isPrerelease(manifest.version)) return [];
      // Another rule refuses a manifest that cannot be read.
      if (manifest.problem !== undefined || (before !== undefined && installsTheSame(before, after)))
        return [];
      const needed = approvalsNeeded(approvals, tool);
      return needed === 0
        ? []
        : [
            `the stable version ${manifest.version} of ${tool} cannot be pushed to ${channel}: by APPROVALS, ${needed} other ${needed === 1 ? 'owner' : 'owners'} must approve it, in a rollout (release:rollout); a (chore) may change its addresses only`,
          ];
    }),
  ),
];

type Read = Pick<PushedFile, 'bytes' | 'manifest'>;

/** Whether Scoop does the same with both, wherever the files come from. */
function installsTheSame(one: Read, other: Read | undefined): boolean {
  const [old, now] = [one.manifest, other?.manifest];
  if (other === undefined || old === undefined || now === undefined || old.problem !== undefined)
    return false;
  return isSameRelease(old, now) && withoutAddresses(one) === withoutAddresses(other);
}

/**
 * Everything that decides what Scoop does, scripts included. `bucket:rebase` changes the rest: the hash of a download is
 * checked wherever it comes from. Its name decides how it is unpacked: the part after `#`, else the last one of the path (spec
 * scoop 4).
 */
function withoutAddresses({ bytes }: Pick<PushedFile, 'bytes'>): string {
  return JSON.stringify(JSON.parse(bytes.toString('utf8')), (key, value: unknown) => {
    if (key === 'checkver' || key === 'autoupdate') return undefined;
    return key === 'url' ? [value].flat().map(nameInAddress) : value;
  });
}

function nameInAddress(url: unknown): string {
  const [address = '', fragment] = String(url).split('#', 2);
  return fragment ?? address.replace(/\?.*$/s, '').replace(/^.*\//s, '');
}

/** The same of two texts. */
export function isMoved(before: string, text: string): boolean {
  const [one, other] = [before, text].map((each) => {
    const bytes = Buffer.from(each);
    return { bytes, manifest: readManifestFile(bytes) };
  });
  return one !== undefined && installsTheSame(one, other);
}

/** Whether Scoop does the same with both, scripts included, but for their versions and where the files come from. */
export function installsSameFiles(one: string, other: string): boolean {
  const [left, right] = [one, other].map((text) => {
    const { version: _, ...rest } = JSON.parse(text) as Record<string, unknown>;
    return withoutAddresses({ bytes: Buffer.from(JSON.stringify(rest)) });
  });
  return left === right;
}
