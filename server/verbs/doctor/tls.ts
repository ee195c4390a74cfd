import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as nodeTls from 'node:tls';
import { connect, type DetailedPeerCertificate, rootCertificates } from 'node:tls';
import { dayMs } from '../../../formats/duration.ts';
import { printCount } from '../print.ts';
import { type Check, type Finding, failed, ok, type Place, skip, warn } from './check.ts';

/** Fewer days than this, and somebody has to renew it; what renews by itself does so earlier. */
const soonDays = 21;
const connectMs = 10_000;

/** Whether clients believe the certificate at PUBLIC_URL. */
export const tls: Check = {
  name: 'tls',
  needs: ['public-url'],
  async look(place) {
    const url = new URL(place.publicUrl);
    if (url.protocol === 'http:') return skip('PUBLIC_URL is plain http');
    return judgeTrust(url.hostname, await shake(url, place));
  },
};

/** Whether it ends soon. */
export const certificate: Check = {
  name: 'certificate',
  needs: ['public-url'],
  async look(place) {
    const url = new URL(place.publicUrl);
    if (url.protocol === 'http:') return skip('PUBLIC_URL is plain http');
    return judgeExpiry(await shake(url, place), place.now());
  },
};

export type Shown = {
  /** Why it is not believed, by the names of OpenSSL and Node; undefined: it is. */
  readonly problem: string | undefined;
  /** The server's own first, as it sent them. */
  readonly chain: readonly { readonly subject: string; readonly issuer: string; readonly until: Date }[];
};

const advice: Readonly<Record<string, readonly [says: string, todo: string]>> = {
  CERT_HAS_EXPIRED: ['has expired', 'renew it now'],
  CERT_NOT_YET_VALID: ['is not valid yet', 'set the clock of this machine, or wait'],
  DEPTH_ZERO_SELF_SIGNED_CERT: [
    'is signed by itself, so that no client believes it',
    'get one from a CA that the clients know, or give each client this one as a CA',
  ],
};

const unknownIssuer =
  /^(UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT_IN_CHAIN)$/;

export function judgeTrust(host: string, { problem, chain }: Shown): Finding {
  const [own] = chain;
  if (problem === undefined)
    return ok(`the certificate for ${host} is trusted here: ${chain.length} in its chain`);
  if (problem === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return failed(
      `the certificate is for another name than ${host} (${own?.subject ?? 'none'})`,
      'get a certificate that names the host of PUBLIC_URL, or correct PUBLIC_URL',
    );
  if (unknownIssuer.test(problem)) {
    const last = chain.at(-1);
    return failed(
      last !== undefined && last.subject === last.issuer
        ? `this machine does not know the CA ${last.subject}`
        : `the server does not send the certificate of the issuer ${last?.issuer ?? 'of its own'}, and this machine does not know it`,
      'put the intermediate certificates after that of the server in TLS_CERT_FILE (or the file of the proxy); where the CA is your own, name its file in NODE_EXTRA_CA_CERTS for the doctor, and give it to the clients',
    );
  }
  const [says, todo] = advice[problem] ?? [`is not believed: ${problem}`, 'get another one'];
  return failed(`the certificate for ${host} ${says}`, todo);
}

export function judgeExpiry({ chain }: Pick<Shown, 'chain'>, now: Date): Finding {
  const [first] = [...chain].sort((one, other) => one.until.getTime() - other.until.getTime());
  if (first === undefined)
    return failed('the server presents no certificate', 'check TLS_CERT_FILE, or the proxy');
  const days = Math.floor((first.until.getTime() - now.getTime()) / dayMs);
  const on = first.until.toISOString().slice(0, 10);
  const which = first === chain[0] ? 'the certificate' : `the certificate of the issuer ${first.subject}`;
  if (days < 0)
    return failed(`${which} expired on ${on}`, 'renew it: the server reads the files again by itself');
  return days < soonDays
    ? warn(
        `${which} expires on ${on}, in ${printCount(days, 'day')}`,
        'renew it: the server reads the files again by itself',
      )
    : ok(`${which} expires on ${on}, in ${printCount(days, 'day')}`);
}

/** Connects, and believes nothing. */
function shake({ hostname, port }: URL, { env, signal }: Pick<Place, 'env' | 'signal'>): Promise<Shown> {
  const host = hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port: Number(port || 443),
      ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
      ca: authorities(env),
      rejectUnauthorized: false,
      timeout: connectMs,
    });
    const give = (error: Error): void => {
      reject(error);
      socket.destroy();
    };
    signal.addEventListener('abort', () => give(new Error('interrupted')), { once: true });
    socket.once('timeout', () => give(new Error(`no TLS handshake within ${connectMs / 1000} s`)));
    socket.once('error', give);
    socket.once('secureConnect', () => {
      const problem = socket.authorized ? undefined : codeOf(socket.authorizationError);
      resolve({ problem, chain: chainOf(socket.getPeerCertificate(true)) });
      socket.destroy();
    });
  });
}

function codeOf(error: unknown): string {
  return error instanceof Error ? ('code' in error ? String(error.code) : error.message) : String(error);
}

/** Node joins the issuers that it knows to those that were sent; the last one refers to itself. */
function chainOf(peer: DetailedPeerCertificate): Shown['chain'] {
  const chain: Shown['chain'][number][] = [];
  const seen = new Set<string>();
  for (
    let one: DetailedPeerCertificate | undefined = peer;
    one?.raw && !seen.has(one.fingerprint256);
    one = one.issuerCertificate
  ) {
    seen.add(one.fingerprint256);
    const read = new X509Certificate(one.raw);
    chain.push({ subject: nameIn(read.subject), issuer: nameIn(read.issuer), until: new Date(read.validTo) });
  }
  return chain;
}

/** The common name, or else everything. */
function nameIn(text: string): string {
  return /^CN=(.+)$/m.exec(text)?.[1] ?? text.replaceAll('\n', ', ');
}

/** Where Linux distributions keep what the machine trusts. */
const systemFiles = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt'];

/** What this machine trusts: Node's own list, the system's, and the files named in the settings of Node and OpenSSL. */
function authorities(env: Place['env']): string[] {
  const files = [env.NODE_EXTRA_CA_CERTS, env.SSL_CERT_FILE, ...systemFiles].filter(
    (file) => file !== undefined,
  );
  const read = (file: string): string[] => {
    try {
      return [readFileSync(file, 'utf8')];
    } catch {
      return [];
    }
  };
  // What Windows and macOS have is read by Node 22.15 and newer.
  const { getCACertificates } = nodeTls as { getCACertificates?: (kind: 'system') => string[] };
  return [...rootCertificates, ...(getCACertificates?.('system') ?? []), ...files.flatMap(read)];
}
