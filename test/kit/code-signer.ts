import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeTinyExe, type TinyExe } from './exe.ts';
import { hasProgram, mustRun } from './programs.ts';

export const hasCodeSigning = hasProgram('osslsigncode') && hasProgram('openssl');

/** A certificate authority, two publishers and a place that gives timestamps, made by openssl. */
export type CodeSigner = {
  readonly dir: string;
  /** PEM. */
  readonly roots: string;
  /** Signs with the real osslsigncode. `who` is a certificate of `certificates`. */
  sign(exe: Buffer, options?: SignOptions): Promise<Buffer>;
};
export type SignOptions = {
  readonly who?: Certificate;
  readonly hash?: 'sha1' | 'sha256' | 'sha384';
  /** By whom a timestamp is made; none without. */
  readonly stampedBy?: 'tsa';
  /** Added to the signatures that are there. */
  readonly isNested?: boolean;
};

/** name -> [subject, extensions, days]; negative days: ended yesterday. */
const certificates = {
  publisher: ['/C=DE/O=Example, Ltd/CN=Example', 'extendedKeyUsage=codeSigning', 30],
  other: ['/C=DE/O=Other/CN=Other', 'extendedKeyUsage=codeSigning', 30],
  server: ['/C=DE/O=Example, Ltd/CN=Example', 'extendedKeyUsage=serverAuth', 30],
  ended: ['/C=DE/O=Example, Ltd/CN=Example', 'extendedKeyUsage=codeSigning', -1],
  tsa: ['/O=Stamps/CN=TSA', 'extendedKeyUsage=critical,timeStamping', 30],
} as const;
export type Certificate = keyof typeof certificates | 'stranger';

export async function makeCodeSigner(): Promise<CodeSigner> {
  const dir = await mkdtemp(join(tmpdir(), 'code-signer-'));
  const openssl = (...args: string[]): Promise<string> => mustRun('openssl', args, { cwd: dir });
  const root = async (name: string): Promise<void> => {
    const subject = ['-subj', '/O=Roots/CN=Root', '-days', '300'];
    const extensions = ['-addext', 'keyUsage=critical,keyCertSign,cRLSign'];
    const key = ['-newkey', 'rsa:2048', '-nodes', '-keyout', `${name}.key`];
    await openssl('req', '-x509', ...key, '-out', `${name}.pem`, ...subject, ...extensions);
  };
  const issue = async (
    name: string,
    issuer: string,
    row: (typeof certificates)[keyof typeof certificates],
  ) => {
    const [subject, extensions, days] = row;
    await writeFile(
      join(dir, `${name}.ext`),
      `basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\n${extensions}\n`,
    );
    const key = ['-newkey', 'rsa:2048', '-nodes', '-keyout', `${name}.key`];
    await openssl('req', ...key, '-out', `${name}.csr`, '-subj', subject);
    const by = [
      '-CA',
      `${issuer}.pem`,
      '-CAkey',
      `${issuer}.key`,
      '-CAcreateserial',
      '-extfile',
      `${name}.ext`,
    ];
    await openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.pem`, '-days', String(days), ...by);
  };
  await Promise.all(['root', 'stranger-root'].map(root));
  for (const [name, row] of Object.entries(certificates)) await issue(name, 'root', row);
  await issue('stranger', 'stranger-root', certificates.publisher);
  let count = 0;
  return {
    dir,
    roots: await readFile(join(dir, 'root.pem'), 'utf8'),
    async sign(exe, { who = 'publisher', hash = 'sha256', stampedBy, isNested = false } = {}) {
      count += 1;
      const [plain, signed] = [`${count}.exe`, `${count}.signed.exe`];
      await writeFile(join(dir, plain), exe);
      const stamp = stampedBy && ['-TSA-certs', `${stampedBy}.pem`, '-TSA-key', `${stampedBy}.key`];
      const flags = ['-certs', `${who}.pem`, '-key', `${who}.key`, '-h', hash, ...(stamp ?? [])];
      const nest = isNested ? ['-nest'] : [];
      await mustRun('osslsigncode', ['sign', ...flags, ...nest, '-in', plain, '-out', signed], { cwd: dir });
      return readFile(join(dir, signed));
    },
  };
}

/** The small exe with the headers that a signer fills in: room for data directories, sizes, alignments. */
export function makeSignableExe(options: TinyExe = {}): Buffer {
  const exe = makeTinyExe(options);
  const optional = 0x98;
  exe.writeUInt32LE(0x1000, optional + 32); // section alignment
  exe.writeUInt32LE(0x200, optional + 36); // file alignment
  exe.writeUInt32LE(0x2000, optional + 56); // image size
  exe.writeUInt32LE(0x400, optional + 60); // header size
  exe.writeUInt32LE(16, optional + 108); // data directories
  return exe;
}
