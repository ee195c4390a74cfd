import { setTimeout as sleep } from 'node:timers/promises';
import type { Request } from 'express';
import { fail } from '../errors.ts';
import type { KeyLookup } from '../keys/key-state.ts';
import type { Credentials } from './credentials.ts';

/** What a request showed, and what is known of it. */
export type Shown = { readonly credentials: Credentials; readonly finding: KeyLookup | undefined };

/** The maximum number of delayed refusals. Above that they are sent at once, since each of them holds a connection. */
const maxWaiting = 200;
let waiting = 0;

/** Makes guessing slow. */
export async function holdBack(delayMs: number): Promise<void> {
  if (delayMs === 0 || waiting >= maxWaiting) {
    return;
  }
  waiting += 1;
  try {
    await sleep(delayMs);
  } finally {
    waiting -= 1;
  }
}

/** The code for each reason, by the way in which the key came. */
const refusals = {
  unknown: { key: 'KEY_INVALID', basic: 'PASSWORD_INVALID' },
  expired: { key: 'KEY_EXPIRED', basic: 'PASSWORD_EXPIRED' },
  revoked: { key: 'KEY_REVOKED', basic: 'PASSWORD_REVOKED' },
  rotated: { key: 'KEY_ROTATED', basic: 'PASSWORD_ROTATED' },
  // Another password would not help.
  network: { key: 'KEY_NETWORK', basic: 'KEY_NETWORK' },
} as const;

/** NuGet sends the credentials that it has saved only where it sends no key. */
export function adviceFor({ method }: Request): string {
  return method === 'PUT'
    ? 'Leave the key out to push with saved credentials.'
    : 'Ask the administrator of this feed for one (feed:keys add).';
}

/** @throws FeedError KEY_... or, for what came as Basic, PASSWORD_..., which makes clients ask again */
export function refuse({ credentials, finding }: Shown, req: Request): never {
  const { refusal } = finding ?? {};
  const at = refusal !== undefined && 'at' in refusal ? refusal.at.toISOString() : '';
  return fail(refusals[refusal?.why ?? 'unknown'][credentials.kind], {
    name: finding?.key.name ?? '',
    at,
    from: req.ip ?? 'an unknown address',
    advice: adviceFor(req),
  });
}
