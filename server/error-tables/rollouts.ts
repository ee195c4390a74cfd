import type { ErrorTable } from './table.ts';

/** Rings, clients and what must be approved. */
export const rolloutErrors = {
  RING_UNUSABLE: [400, 'This ring cannot be set: {problem}.'],
  RING_UNKNOWN: [404, 'No ring is named {name}; `feed:rings list` shows all.'],
  APPROVALS_NEEDED: [
    403,
    'The stable version {id} {version} cannot be published directly: by APPROVALS, other owners ({needed}) must approve it, in a rollout (release:rollout). Prereleases need no approval (rule approvals).',
  ],
} as const satisfies ErrorTable;
