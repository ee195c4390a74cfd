import { fail } from '../errors.ts';
import { readExpiry } from './expiry.ts';
import type { NewKeyJson, RotationJson } from './key-json.ts';
import type { NewKey, Rotation } from './keys.ts';

/** The new key, with durations counted from now. @throws FeedError KEY_UNUSABLE when it would already be expired */
export function toNewKey({ expires, ...json }: NewKeyJson, now: Date): NewKey {
  return { ...json, expires: expires === undefined ? undefined : future(expires, 'expires', now) };
}

/** @throws FeedError KEY_UNUSABLE */
export function toRotation({ overlap, expires }: RotationJson, now: Date): Rotation {
  return {
    oldEnds: overlap === undefined ? undefined : future(overlap, 'overlap', now),
    expires: typeof expires === 'string' ? future(expires, 'expires', now) : expires,
  };
}

/** @throws FeedError with this code when the text is no time, or one that has passed */
export function future(
  text: string,
  field: string,
  now: Date,
  code: 'KEY_UNUSABLE' | 'PUBLISHER_UNUSABLE' = 'KEY_UNUSABLE',
): Date {
  const time = readExpiry(text, now);
  return time !== undefined && time > now
    ? time
    : fail(code, { problem: `${field}: ${JSON.stringify(text)} is not in the future` });
}
