import * as z from 'zod';
import { fail } from '../../../errors/release-error.ts';
import type { GeneratorConfig } from '../../settings/config.ts';
import { ask, askServer, type FeedHttp, jsonFrom, refusePage } from './http.ts';
import { refuse } from './refusal.ts';

const ServerInfo = z.object({ name: z.literal('go-win-tools'), publicUrl: z.string() });

/** Where a release goes: the settings, completed by what the server reports (contract section 4). */
export type Endpoints = Awaited<ReturnType<typeof findEndpoints>>;

type PlaceSettings = Pick<GeneratorConfig, 'bucketUrl' | 'payloadUrl' | 'isPayloadPut'>;

/**
 * Asks the server behind the feed. A feed of another make has no bucket and no payloads, so both must be set then.
 * @throws ReleaseError FEED_UNREACHABLE, FEED_REFUSED, SETTINGS_INVALID
 */
export async function findEndpoints(http: FeedHttp, settings: PlaceSettings) {
  const { serverUrl } = http;
  const isComplete = settings.bucketUrl !== undefined && settings.payloadUrl !== undefined;
  const publicUrl = await askPublicUrl(http, isComplete);
  if (publicUrl === undefined) {
    // a server that answers for any feed is not one of ours: its settings are not the problem
    if (!isComplete) refusePage(http, await ask(http, `${http.feedUrl}/FindPackagesById()?id='none'`));
    requirePlaces(http, settings);
  }
  if (publicUrl !== undefined && serverUrl === http.feedUrl) {
    // its bucket would be found from here, and no package: each verb would draw another wrong conclusion from that
    fail('SETTINGS_INVALID', {
      problems: `FEED_URL: ${serverUrl} is the server itself; its feed is ${serverUrl}/nuget`,
    });
  }
  const { payloadUrl, bucketUrl, isPayloadPut } = settings;
  return {
    /** The base address in manifests. The server's PUBLIC_URL may not be the address that we reach it by. */
    addresses: { publicUrl, payloadUrl: payloadUrl ?? `${publicUrl}/dl/{tool}/{version}/{file}` },
    /** False: somebody else uploads them, and a manifest waits until they are there (PAYLOAD_PUT). */
    isPut: isPayloadPut,
    /** The address of payloads as we reach it, with `{tool} {version} {file}`. */
    payloadPutUrl: payloadUrl ?? `${serverUrl}/dl/{tool}/{version}/{file}`,
    /** Payloads are on the feed's own server, which serves the `.sha256` beside them. */
    isOwnPayloadPlace: payloadUrl === undefined,
    bucketUrl: bucketUrl ?? `${serverUrl}/git/beta/go-win-tools.git`,
    /** It is a go-win-tools server, with all of its addresses. */
    isOwnServer: publicUrl !== undefined,
  };
}

/**
 * Undefined when the server is not one of ours. One that needs a key first (READ_AUTH=all) may be, which matters unless all
 * addresses are set.
 */
async function askPublicUrl(http: FeedHttp, isComplete: boolean): Promise<string | undefined> {
  const response = await askServer(http, ['server']);
  if (!isComplete && [401, 403].includes(response.statusCode)) refuse(response, 'the request for who it is');
  return jsonFrom(response, ServerInfo)?.publicUrl.replace(/\/+$/, '');
}

function requirePlaces(http: FeedHttp, settings: PlaceSettings): void {
  const named = { BUCKET_URL: settings.bucketUrl, PAYLOAD_URL: settings.payloadUrl };
  const missing = Object.entries(named).flatMap(([name, value]) => (value === undefined ? [name] : []));
  if (missing.length > 0) {
    fail('SETTINGS_INVALID', {
      problems: `The feed ${http.feedUrl} is not a go-win-tools server, so ${missing.join(' and ')} must be set.`,
    });
  }
}

const OwnKey = z.object({
  name: z.string(),
  scopes: z.array(z.string()),
  /** What it is limited to; older servers do not say. */
  ids: z.array(z.string()).default([]),
});
type OwnKey = z.infer<typeof OwnKey>;

/**
 * What the key may do to a package or tool. Undefined when the server does not say: an older one, or another product.
 * @throws ReleaseError FEED_REFUSED for a key that the server does not know, FEED_UNREACHABLE
 */
export async function askOwnKey(http: FeedHttp, id: string): Promise<OwnKey | undefined> {
  const response = await askServer(http, ['key'], { searchParams: { id } });
  if ([401, 403].includes(response.statusCode)) refuse(response, 'the request for what the key may do');
  return jsonFrom(response, OwnKey);
}
