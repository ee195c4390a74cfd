import { jsonOf } from '../../../formats/json.ts';
import { readBody } from '../../../outbound/http.ts';
import { isTooDeep, maxBundleBytes } from '../../verify/keyless/read-bundle.ts';
import { type Asking, hostUnreachable, refused } from '../asking.ts';
import { askHost, type HttpAccess, type Open } from '../http/ask-host.ts';
import type { Attempt } from '../http/attempt.ts';
import type { GithubApiSettings } from './api.ts';
import { readSnappy } from './snappy.ts';

export type StoreSettings = HttpAccess & Pick<GithubApiSettings, 'apiUrl'>;

/**
 * A bundle of which the forge only gives the address: JSON in a snappy block, in a separate store. The address is signed and
 * expires soon, so it is requested without the token, as gh does (cli/cli, pkg/cmd/attestation/api), and never shown.
 * @param file what the bundle is about
 */
export async function fetchStoredBundle(
  settings: StoreSettings,
  url: string,
  file: string,
  asking: Asking,
): Promise<unknown> {
  const { host, protocol } = new URL(url);
  if (protocol !== 'https:' && settings.apiUrl.startsWith('https:')) {
    return refused(asking, `an attestation of ${file}`, 'an https address', `${protocol}//${host}`);
  }
  const result = await askHost(settings, url, askOnce);
  if ('failed' in result) return hostUnreachable(asking, result);
  const bundle = readJson(result.done);
  return bundle ?? refused(asking, `an attestation of ${file}`, 'JSON in a snappy block', 'something else');
}

async function askOnce(open: Open): Promise<Attempt<Buffer>> {
  const opened = await open({ headers: {}, decompress: true });
  const body = await readBody(opened, maxBundleBytes);
  const { status } = opened;
  if (status === 200) return { done: body };
  const failed = `it answers with status ${status}`;
  const isOver = status < 500 && status !== 408 && status !== 429;
  return isOver ? { failed, waitMs: Number.POSITIVE_INFINITY } : { failed };
}

/** Plain JSON is never valid snappy: `{` would mean 123 bytes that begin with a copy of earlier ones. */
function readJson(body: Buffer): unknown {
  const text = body[0] === 0x7b ? body : readSnappy(body, maxBundleBytes);
  const bundle = text && jsonOf(text.toString('utf8'));
  return isTooDeep(bundle) ? undefined : bundle;
}
