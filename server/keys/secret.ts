import { createHash, randomBytes } from 'node:crypto';

/** 256 random bits, in a form that everybody can recognize as ours. */
export function newSecret(): string {
  return `gwt_${randomBytes(32).toString('base64url')}`;
}

/** All that is stored of a secret: it cannot be guessed, so it needs no slow hash. */
export function hashKey(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

/** Of a key or publisher, for lists and the audit log. */
export function newId(): string {
  return randomBytes(8).toString('hex');
}
