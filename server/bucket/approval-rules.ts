import { approvalsNeeded } from '../feed/approvals.ts';
import { isSameRelease } from './manifest-file.ts';
import { isPrerelease } from './permission.ts';
import { toolOfPath } from './push.ts';
import { forEachCommit, type Rule } from './rule.ts';

/** The setting APPROVALS: stable versions of these tools reach the branches by a rollout only (contract section 8). */
export const approvalRules: readonly Rule[] = [
  forEachCommit('approved-by-others', ({ changes }, channel, { approvals }) =>
    changes.flatMap(({ path, before, after }) => {
      const tool = toolOfPath(path);
      const [old, now] = [before?.manifest, after?.manifest];
      if (tool === undefined || now === undefined || isPrerelease(now.version)) return [];
      // One that cannot be read is refused by another rule.
      if (now.problem !== undefined || (old !== undefined && isSameRelease(old, now))) return [];
      const needed = approvalsNeeded(approvals, tool);
      return needed === 0
        ? []
        : [
            `the stable version ${now.version} of ${tool} cannot be pushed to ${channel}: by APPROVALS, ${needed} other ${needed === 1 ? 'owner' : 'owners'} must approve it, in a rollout (release:rollout)`,
          ];
    }),
  ),
];
