import * as z from 'zod';
import { jsonOf } from '../../../formats/json.ts';
import { inShort } from '../../../formats/thrown.ts';
import { type Answer, ask, headerOf } from './ask.ts';
import { type Check, type Finding, failed, ok, type Place, warn } from './check.ts';

/** Whether clients reach this installation, and no other, at the address that they are given. */
export const publicUrl: Check = {
  name: 'public-url',
  limitMs: 25_000,
  async look(place) {
    const { publicUrl: base } = place;
    const instances = await place.instances();
    const finding = await lookAt(base, instances, place);
    if (finding.state !== 'fail') return finding;
    const other = withOtherScheme(base);
    const isThere = (await lookAt(other, instances, place)).state === 'ok';
    return isThere ? judgeScheme(finding, other) : finding;
  },
};

async function lookAt(base: string, instances: ReadonlySet<string>, place: Place): Promise<Finding> {
  let answer: Answer;
  try {
    answer = await ask(place, `${base}/healthz`);
  } catch (error) {
    return failed(
      `nobody answers at ${base}: ${reasonOf(error)}`,
      'correct PUBLIC_URL, or what is at that address: name server (DNS), firewall, proxy, the server itself',
    );
  }
  return judgeIdentity(base, answer, instances);
}

/** What OpenSSL says when the first bytes are those of plain http is for nobody. */
function reasonOf(error: unknown): string {
  const reason = inShort(error);
  return /wrong.version.number/i.test(reason) ? 'what answers there is not TLS' : reason;
}

/** http for https and the other way round: with another port only where none is named. */
function withOtherScheme(base: string): string {
  return base.startsWith('https:') ? base.replace('https:', 'http:') : base.replace('http:', 'https:');
}

function judgeScheme({ says }: Finding, other: string): Finding {
  return failed(
    `${says}; this installation answers at ${other}`,
    other.startsWith('https:')
      ? `set PUBLIC_URL=${other}`
      : `give the server a certificate (TLS_CERT_FILE, TLS_KEY_FILE) or a proxy with one, or set PUBLIC_URL=${other}`,
  );
}

const Health = z.object({ status: z.literal('ok'), version: z.string() });

/** @param instances those that are ours, as far as they are known */
export function judgeIdentity(
  base: string,
  answer: Pick<Answer, 'status' | 'headers' | 'text' | 'ms'>,
  instances: ReadonlySet<string>,
): Finding {
  const { status, text, ms } = answer;
  if (status >= 300 && status < 400) return judgeRedirect(base, headerOf(answer, 'location'));
  const health = Health.safeParse(jsonOf(text)).data;
  if (status >= 500 && health === undefined)
    return failed(
      `a proxy answers at ${base}, with status ${status}, and not the server behind it`,
      'let the proxy reach the server (docs/operate/proxies.md): see the check server, and the log of the proxy',
    );
  if (health === undefined)
    return failed(
      `another program answers at ${base} (${base}/healthz: status ${status}, no JSON of go-win-tools)`,
      'correct PUBLIC_URL, or let that address lead to the root of this server',
    );
  const instance = headerOf(answer, 'x-instance');
  if (instances.size > 0 && (instance === undefined || !instances.has(instance)))
    return failed(
      `another go-win-tools (${health.version}) answers at ${base}, and not this one`,
      'correct PUBLIC_URL, or let that address lead here: it may still lead to a machine that served before',
    );
  if (instances.size === 0)
    return warn(
      `go-win-tools ${health.version} answers at ${base}, and no server of this installation is known to compare it with`,
      'run the doctor where the server runs, with its settings',
    );
  return ok(`this installation (${health.version}) answers at ${base} after ${Math.round(ms)} ms`);
}

function judgeRedirect(base: string, to: string | undefined): Finding {
  const isPlain = base.startsWith('https:') && to?.startsWith('http:') === true;
  return failed(
    `${base} redirects to ${to ?? 'nowhere'}${isPlain ? ', which anybody on the way can read and change' : ''}`,
    'choco and Scoop do not push through a redirect: set PUBLIC_URL to the address that answers itself, or remove the redirect from the proxy',
  );
}
