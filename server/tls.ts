import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';

export type TlsFiles = { readonly certFile: string; readonly keyFile: string };
export type TlsPair = { readonly cert: string; readonly key: string };

/** Certificate and key, checked to match each other. @throws when a file is missing or they do not match */
export function readTls(files: TlsFiles): TlsPair {
  const pair = { cert: readFileSync(files.certFile, 'utf8'), key: readFileSync(files.keyFile, 'utf8') };
  // With empty files createSecureContext succeeds, but nobody can connect.
  const certificate = new X509Certificate(pair.cert);
  if (!certificate.checkPrivateKey(createPrivateKey(pair.key))) {
    throw new Error('the key does not belong to the certificate');
  }
  createSecureContext(pair);
  return pair;
}

/** When clients stop to accept it. */
export function expiryOf({ cert }: Pick<TlsPair, 'cert'>): Date {
  return new Date(new X509Certificate(cert).validTo);
}

/**
 * Calls back with the new pair when a file changed and the pair matches; for one that does not (half written, half renewed) it
 * calls `onBroken` and the old pair stays. It polls, because watching works neither with symbolic links of mounted secrets nor
 * with network drives.
 */
export function watchTls(
  files: TlsFiles,
  on: { readonly changed: (pair: TlsPair) => void; readonly broken: (error: unknown) => void },
  intervalMs: number,
): { stop(): void } {
  let seen = stamp(files);
  const timer = setInterval(() => {
    const now = stamp(files);
    if (now === seen) {
      return;
    }
    seen = now;
    try {
      on.changed(readTls(files));
    } catch (error) {
      on.broken(error);
    }
  }, intervalMs).unref();
  return { stop: () => clearInterval(timer) };
}

function stamp(files: TlsFiles): string {
  return [files.certFile, files.keyFile]
    .map((file) => {
      const stats = statSync(file, { throwIfNoEntry: false });
      return `${stats?.ino}:${stats?.size}:${stats?.mtimeMs}`;
    })
    .join(' ');
}
