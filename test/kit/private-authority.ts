import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mustRun } from './programs.ts';

/** A certificate authority that no machine knows, and a certificate of its own for 127.0.0.1; files in PEM, made by openssl. */
export type PrivateAuthority = {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
};

export async function makePrivateAuthority(dir: string, days = 2): Promise<PrivateAuthority> {
  const openssl = (...args: string[]): Promise<string> => mustRun('openssl', args, { cwd: dir });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  await openssl(
    'req',
    '-x509',
    ...newKey,
    '-days',
    // As long as all that it signs, which are made a second later.
    String(days + 1),
    '-subj',
    '/CN=Private CA',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
  );
  await openssl('req', ...newKey, '-subj', '/CN=127.0.0.1', '-keyout', 'server.key', '-out', 'server.csr');
  await writeFile(join(dir, 'server.ext'), 'basicConstraints=CA:FALSE\nsubjectAltName=IP:127.0.0.1\n');
  const by = [
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-days',
    String(days),
    '-extfile',
    'server.ext',
  ];
  await openssl('x509', '-req', '-in', 'server.csr', ...by, '-out', 'server.pem');
  return {
    caFile: join(dir, 'ca.pem'),
    certFile: join(dir, 'server.pem'),
    keyFile: join(dir, 'server.key'),
  };
}

/** Another certificate by that authority, or by `by`, which it signed before; `days` may be past. Its files are `NAME.pem`, `NAME.key`. */
export async function signCertificate(
  dir: string,
  name: string,
  { days, by = 'ca', kind = 'server' }: { days: number; by?: string; kind?: 'server' | 'authority' },
): Promise<Omit<PrivateAuthority, 'caFile'>> {
  const openssl = (...args: string[]): Promise<string> => mustRun('openssl', args, { cwd: dir });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const extensions =
    kind === 'server'
      ? 'basicConstraints=CA:FALSE\nsubjectAltName=IP:127.0.0.1\n'
      : 'basicConstraints=CA:TRUE\n';
  await writeFile(join(dir, `${name}.ext`), extensions);
  await openssl('req', ...newKey, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
  const signer = ['-CA', `${by}.pem`, '-CAkey', `${by}.key`, '-CAcreateserial'];
  const rest = ['-days', String(days), '-extfile', `${name}.ext`, '-out', `${name}.pem`];
  await openssl('x509', '-req', '-in', `${name}.csr`, ...signer, ...rest);
  return { certFile: join(dir, `${name}.pem`), keyFile: join(dir, `${name}.key`) };
}
