import { createHash, createPublicKey, verify } from 'node:crypto';

/**
 * minisign (spec upstream 1.3), on node:crypto alone:
 *
 *     public key   base64( "Ed" | key id 8 | ed25519 key 32 )
 *     signature    untrusted comment line
 *                  base64( "Ed" or "ED" | key id 8 | ed25519 signature 64 )      "ED": over BLAKE2b-512 of the file, "Ed": over the file
 *                  trusted comment: TEXT
 *                  base64( ed25519 signature 64 over signature | TEXT )          the global signature
 */
export type MinisignOutcome =
  | { readonly outcome: 'good'; readonly keyId: string; readonly trustedComment: string }
  | { readonly outcome: 'bad'; readonly keyId?: string; readonly problem: string };

/** `keys` are the trusted ones (`RW...`). A valid signature by any other key is bad. */
export function verifyMinisign(
  message: Buffer,
  signatureText: string,
  keys: readonly string[],
): MinisignOutcome {
  const signature = parseSignature(signatureText);
  if (signature === undefined) return { outcome: 'bad', problem: 'not a minisign signature' };
  const { keyId } = signature;
  const key = keys.map(parsePublicKey).find((one) => one?.keyId === keyId);
  if (key === undefined) return { outcome: 'bad', keyId, problem: `signed by the unknown key ${keyId}` };

  const signed = signature.isPrehashed ? createHash('blake2b512').update(message).digest() : message;
  if (!isSignedBy(key.raw, signed, signature.bytes)) {
    return { outcome: 'bad', keyId, problem: 'the signature is not of this file' };
  }
  const { trustedComment } = signature;
  if (!isSignedBy(key.raw, Buffer.concat([signature.bytes, Buffer.from(trustedComment)]), signature.global)) {
    return { outcome: 'bad', keyId, problem: 'the trusted comment was changed' };
  }
  return { outcome: 'good', keyId, trustedComment };
}

/** The id as minisign prints it: the eight bytes as one little-endian number. Undefined when the text is not a public key. */
export function minisignKeyId(publicKey: string): string | undefined {
  return parsePublicKey(publicKey)?.keyId;
}

function parsePublicKey(text: string) {
  const bytes = decodeBase64(text.trim(), 42);
  if (bytes?.toString('latin1', 0, 2) !== 'Ed') return undefined;
  return { keyId: printKeyId(bytes.subarray(2, 10)), raw: bytes.subarray(10) };
}

function parseSignature(text: string) {
  const [untrusted = '', first = '', trusted = '', second = '', ...rest] = text.split(/\r?\n/);
  const bytes = decodeBase64(first, 74);
  const global = decodeBase64(second, 64);
  const algorithm = bytes?.toString('latin1', 0, 2);
  const isWellFormed =
    untrusted.startsWith('untrusted comment: ') &&
    trusted.startsWith('trusted comment: ') &&
    (algorithm === 'Ed' || algorithm === 'ED') &&
    rest.every((line) => line === '');
  if (!isWellFormed || bytes === undefined || global === undefined) return undefined;
  return {
    isPrehashed: algorithm === 'ED',
    keyId: printKeyId(bytes.subarray(2, 10)),
    bytes: bytes.subarray(10),
    trustedComment: trusted.slice('trusted comment: '.length),
    global,
  };
}

/** Canonical base64 of exactly `bytes` bytes; Node's own decoder accepts anything. */
export function decodeBase64(text: string, bytes: number): Buffer | undefined {
  const decoded = Buffer.from(text, 'base64');
  return decoded.length === bytes && decoded.toString('base64') === text ? decoded : undefined;
}

function printKeyId(bytes: Buffer): string {
  return Buffer.from(bytes).reverse().toString('hex').toUpperCase();
}

/** The SubjectPublicKeyInfo prefix that node:crypto needs before a raw ed25519 key. */
const spkiFrame = Buffer.from('302a300506032b6570032100', 'hex');

/** Ed25519. */
export function isSignedBy(rawKey: Buffer, message: Buffer, signature: Buffer): boolean {
  const key = createPublicKey({ key: Buffer.concat([spkiFrame, rawKey]), format: 'der', type: 'spki' });
  return verify(null, message, key, signature);
}
