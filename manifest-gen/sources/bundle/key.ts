import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fail } from '../../../errors/release-error.ts';
import { fileReason } from '../../../formats/file-reason.ts';
import { makeDir } from '../../../formats/make-dir.ts';

export type BundleKey = ReturnType<typeof keyOf>;

/** Not covered by the signature, so it must be this very one (open-bundle.ts). */
export const untrustedComment = 'untrusted comment: signature of a go-win-tools bundle';
const trustedComment = 'trusted comment: digests of a go-win-tools bundle';

/**
 * The key in a file (PEM, PKCS #8, Ed25519, as `openssl genpkey -algorithm ed25519` writes it); made if the file does not exist,
 * readable by its owner only.
 * @throws ReleaseError SETTINGS_INVALID when the file has no such key, or cannot be made
 */
export async function loadOrMakeKey(file: string): Promise<BundleKey> {
  const kept = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) =>
    error.code === 'ENOENT' ? undefined : unusable(file, fileReason(error), error),
  );
  if (kept !== undefined) return keyOf(readKey(kept, file), false);
  const { privateKey } = generateKeyPairSync('ed25519');
  const text = privateKey.export({ format: 'pem', type: 'pkcs8' });
  try {
    await makeDir(dirname(file));
    await writeFile(file, text, { mode: 0o600, flag: 'wx', flush: true });
  } catch (error) {
    return unusable(file, fileReason(error), error);
  }
  return keyOf(privateKey, true);
}

function readKey(text: string, file: string): KeyObject {
  try {
    const key = createPrivateKey(text);
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // the reason could quote the key
  }
  return unusable(file, 'it holds no private key of type Ed25519 (PEM, without a password)');
}

function unusable(file: string, problem: string, cause?: unknown): never {
  return fail('SETTINGS_INVALID', { problems: `--key ${file}: ${problem}` }, cause);
}

/** Who makes bundles. Signatures and public key have minisign's form, so that any minisign can check them. */
function keyOf(privateKey: KeyObject, isNew: boolean) {
  const raw = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32);
  // minisign draws it; derived, the PEM alone is the whole key
  const id = createHash('sha256').update(raw).digest().subarray(0, 8);
  return {
    /** `RW...`: the value of BUNDLE_KEY on the receiving side. */
    publicKey: Buffer.concat([Buffer.from('Ed'), id, raw]).toString('base64'),
    /** It was made just now, so the other side does not know it yet. */
    isNew,
    /** The text of the `.minisig` file; the same each time. */
    sign(message: Buffer): string {
      const signature = sign(null, createHash('blake2b512').update(message).digest(), privateKey);
      const comment = Buffer.from(trustedComment.slice('trusted comment: '.length));
      const global = sign(null, Buffer.concat([signature, comment]), privateKey);
      const lines = [
        untrustedComment,
        Buffer.concat([Buffer.from('ED'), id, signature]).toString('base64'),
        trustedComment,
        global.toString('base64'),
      ];
      return `${lines.join('\n')}\n`;
    },
  };
}
