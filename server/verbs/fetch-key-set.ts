import * as z from 'zod';
import { isLocalHost } from '../../formats/ip-address.ts';
import { jsonOf } from '../../formats/json.ts';
import type { Invocation } from '../../invocation.ts';
import { fail } from '../errors.ts';
import { createWeb, shown, type Web } from '../import/web.ts';
import { maxKeySetBytes } from '../trust/issuer-keys.ts';
import { readProxy } from './import-options.ts';

/** What is read of a discovery document (OpenID Connect Discovery 1.0 section 3). */
const Discovery = z.looseObject({ issuer: z.string(), jwks_uri: z.string() });

/** An issuer answers at once or not at all; somebody waits for this verb. */
const limits = { attempts: 2, idleTimeoutMs: 10_000, maxPageMs: 30_000, maxPageBytes: 4 * maxKeySetBytes };

/**
 * The text of an issuer's key set, and its address, as its discovery document names it. Over https alone, but on this machine: whoever
 * can change these bytes on their way can sign tokens.
 * @throws FeedError ISSUER_UNUSABLE, SOURCE_UNREACHABLE, SOURCE_REFUSED, SOURCE_STRANGE
 */
export async function fetchKeySet(
  { env, signal, version }: Pick<Invocation, 'env' | 'signal' | 'version'>,
  issuer: string,
): Promise<{ readonly keys: string; readonly source: string }> {
  const web = createWeb({
    userAgent: `go-win-tools/${version}`,
    proxy: readProxy(env),
    signal,
    limits,
    isDirect: true,
  });
  const isHere = isOfThisMachine(issuer);
  const document = requireSafe(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, isHere);
  const discovery = Discovery.safeParse(jsonOf(await read(web, document)));
  if (!discovery.success)
    return unusable(`${shown(document)} is no discovery document (issuer and jwks_uri in JSON)`);
  const { issuer: named, jwks_uri: source } = discovery.data;
  // Section 4.3: or else one issuer could speak for another.
  if (named !== issuer)
    unusable(
      `${shown(document)} is of the issuer ${JSON.stringify(named).slice(0, 200)}, expected ${issuer}`,
    );
  const keys = await read(web, requireSafe(source, isHere));
  return { keys, source };
}

async function read(web: Web, url: URL): Promise<string> {
  const page = await web.read(url);
  if (page.status !== 200) fail('SOURCE_REFUSED', { status: page.status, url: shown(url), advice: '.' });
  return page.text;
}

function isOfThisMachine(address: string): boolean {
  return URL.canParse(address) && isLocalHost(new URL(address).hostname);
}

/** Plain http is for an issuer on this machine alone: no other one chooses what is asked here. */
function requireSafe(address: string, isHere: boolean): URL {
  if (!URL.canParse(address)) return unusable(`${JSON.stringify(address).slice(0, 200)} is no address`);
  const url = new URL(address);
  const isSafe =
    url.protocol === 'https:' || (url.protocol === 'http:' && isHere && isLocalHost(url.hostname));
  if (!isSafe || url.username !== '' || url.password !== '')
    unusable(`${shown(url)} is not an https address; save the keys in a file and give it with --jwks`);
  return url;
}

function unusable(problem: string): never {
  return fail('ISSUER_UNUSABLE', { problem });
}
