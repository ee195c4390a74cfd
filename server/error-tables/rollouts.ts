import type { ErrorTable } from './table.ts';

/** Rings, clients and what must be approved. */
export const rolloutErrors = {
  RING_UNUSABLE: [400, 'This ring cannot be set: {problem}.'],
  RING_UNKNOWN: [404, 'No ring is named {name}; `feed:rings list` shows all.'],
  CLIENT_INVALID: [
    400,
    '{id} is no client id: expected up to 64 letters, digits, dots, dashes and underscores, beginning with a letter or digit.',
  ],
  CLIENT_UNKNOWN: [
    403,
    'No ring names the client {id}, and this server has no addresses for others (CLIENTS=known). Use the addresses without /c/.',
  ],
  CLIENT_UNSEEN: [404, 'No client {id} has ever been seen; `feed:clients list` shows all.'],
  CLIENT_ADMITTED: [
    409,
    'The client {id} is in an open rollout, and can be forgotten only when that has ended.',
  ],
  KEY_CLIENTS: [
    403,
    'This key may not read as the client {client}, only as {clients}. Use the addresses of one of those, or a key made with --client {client}.',
  ],
  APPROVALS_NEEDED: [
    403,
    'The stable version {id} {version} cannot be published directly: by APPROVALS, other owners ({needed}) must approve it, in a rollout (release:rollout). Prereleases need no approval (rule approvals).',
  ],
  ROLLOUT_NOT_FOUND: [404, 'There is no rollout {id}; /rollouts lists all.'],
  ROLLOUT_STATE: [
    409,
    'The rollout of {tool} {version} is {state}, {step}, so {action} is not possible now. Check release:rollout status {tool}.',
  ],
  ROLLOUT_MOVED: [
    409,
    'The rollout of {tool} {version} {how}, so `{action}` was not carried out: it is {state}, {step}. Check release:rollout status {tool}, then decide again.',
  ],
  ROLLOUT_UNAPPROVED: [
    409,
    'The rollout of {tool} {version} has {given} of {needed} approvals by other owners: {action} has to wait for the rest.',
  ],
  ROLLOUT_NO_OWNER: [
    403,
    'By APPROVALS, other owners must approve {tool}, but this key has no owner. Start the rollout with a key that was made with --owner.',
  ],
  APPROVAL_NO_OWNER: [
    403,
    'This key has no owner, so it cannot {action}. Use a key that was made with --owner.',
  ],
  APPROVAL_SAME_OWNER: [
    409,
    '{owner}, the owner of this key, started the rollout of {tool} {version} or has already approved it. Let somebody else {action} it, with a key of another owner.',
  ],
  ROLLOUT_ENDED: [409, '{tool} {version} was rolled out before and is {state}. Roll out another version.'],
  ROLLOUT_LOWER: [
    409,
    'A rollout of {tool} {open}, a higher version than {version}, is still open. Complete it or roll it back first.',
  ],
  ROLLOUT_CORRECTION: [
    409,
    '{tool} {version} is the correction that a rollback of {open} publishes, and the rollout of {open} is open. Complete it or roll it back first, or roll out another version.',
  ],
  ROLLOUT_ALERTING: [
    409,
    'The alert {alert} is firing and concerns {tool}. Start the rollout when it is resolved.',
  ],
  ROLLOUT_RING_UNKNOWN: [
    400,
    'The plan names the ring {ring}, which does not exist. `feed:rings set {ring} GLOB...` makes it, and `feed:rings list` shows all.',
  ],
  ROLLOUT_RING: [
    400,
    'The ring {ring} of the plan names no client that this server has seen. `feed:clients list` shows those that it has seen, and `feed:rings set {ring} GLOB...` changes the ring.',
  ],
  ROLLOUT_NOT_ABOVE: [
    409,
    '{tool} {version} is not above {offered}, which clients are offered. Roll out a higher version.',
  ],
  ROLLOUT_NOT_HELD: [
    409,
    '{tool} {version} cannot be rolled out yet: {missing} is not uploaded as held. `release:rollout start` uploads it and starts the rollout.',
  ],
  HELD_MISSING: [404, '{id} {version} is not held. Push its package with the header X-Held first.'],
  TOOL_INVALID: [
    400,
    '{tool} cannot be the name of a tool: expected lower-case letters, digits and single . _ - between them, and no name that git, Windows or an address of this server uses for something else (*.lock, nul, c, beta).',
  ],
  HELD_PUBLISHED: [
    409,
    '{tool} {version} was published before, so it cannot be held. Use a version that is new.',
  ],
  HELD_TOOL: [
    409,
    'The tool {tool} belongs to another package than {id}: versions of that package are held, or were rolled out. One tool has one package.',
  ],
  HELD_OTHER: [
    409,
    'Another manifest of {tool} {version} is already held. Delete it first (DELETE /api/v1/held/{tool}/{version}), or use another version.',
  ],
  HELD_NEEDED: [
    409,
    '{tool} {version} belongs to a rollout whose clients need it. `release:rollout rollback` takes a version back.',
  ],
  HELD_EXISTS: [
    409,
    '{id} {version} is uploaded and held for a rollout. `release:rollout status` shows it, `release:rollout complete` publishes it.',
  ],
  CORRECTION_APPROVED: [
    409,
    'The correction {tool} {version} is not accepted: the rollout of {corrects} was approved with a different correction (APPROVALS). Roll out a new version.',
  ],
  VIEW_NOT_STORED: [
    503,
    'The versions that a rollout offers to this client could not be stored; the disk may be full. Free some space; this client is served again as soon as they can be stored, and other clients are not affected.',
  ],
  ALERTS_NOT_STORED: [503, 'The alerts could not be stored; send them again.'],
} as const satisfies ErrorTable;
