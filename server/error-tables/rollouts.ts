import type { ErrorTable } from './table.ts';

/** Rings, clients and what must be approved. */
export const rolloutErrors = {
  RING_UNUSABLE: [400, 'This ring cannot be set: {problem}.'],
  RING_UNKNOWN: [404, 'No ring is named {name}; `feed:rings list` shows all.'],
} as const satisfies ErrorTable;
