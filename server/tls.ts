import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';

export type TlsFiles = { readonly certFile: string; readonly keyFile: string };
export type TlsPair = { readonly cert: string; readonly key: string };

/** Certificate and key, once they are known to fit each other. @throws when a file is missing or they do not */
export function readTls(files: TlsFiles): TlsPair {
  const pair = { cert: readFileSync(files.certFile, 'utf8'), key: readFileSync(files.keyFile, 'utf8') };
  // Of empty files createSecureContext makes an https that nobody can talk to.
  const certificate = new X509Certificate(pair.cert);
  if (!certificate.checkPrivateKey(createPrivateKey(pair.key))) {
    throw new Error('the key does not belong to the certificate');
  }
  createSecureContext(pair);
  return pair;
}

/**
 * Calls back with the new pair when a file changed and the pair fits; a pair that does not fit (half written, half
 * renewed) goes to `onBroken` and the old one stays. Polls: watching follows neither the symbolic links of mounted
 * secrets nor network drives.
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
