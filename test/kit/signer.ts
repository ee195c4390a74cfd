import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

/** Someone who signs with minisign, in memory. `algorithm` "Ed" is what minisign wrote before 0.10 (over the file itself). */
export type MinisignSigner = {
  /** `RW...`, as a tool's file holds it. */
  readonly publicKey: string;
  readonly keyId: string;
  sign(message: string | Buffer, options?: { algorithm?: 'Ed' | 'ED'; trustedComment?: string }): string;
};

export function makeMinisignSigner(): MinisignSigner {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const id = randomBytes(8);
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  return {
    publicKey: Buffer.concat([Buffer.from('Ed'), id, raw]).toString('base64'),
    keyId: Buffer.from(id).reverse().toString('hex').toUpperCase(),
    sign(message, { algorithm = 'ED', trustedComment = 'timestamp:0 file:test' } = {}) {
      const bytes = signed(privateKey, Buffer.from(message), algorithm);
      const global = sign(null, Buffer.concat([bytes, Buffer.from(trustedComment)]), privateKey);
      return [
        'untrusted comment: signature from a test key',
        Buffer.concat([Buffer.from(algorithm), id, bytes]).toString('base64'),
        `trusted comment: ${trustedComment}`,
        global.toString('base64'),
        '',
      ].join('\n');
    },
  };
}

function signed(key: KeyObject, message: Buffer, algorithm: 'Ed' | 'ED'): Buffer {
  return sign(null, algorithm === 'ED' ? createHash('blake2b512').update(message).digest() : message, key);
}
