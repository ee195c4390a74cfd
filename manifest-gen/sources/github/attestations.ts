import { snappyUncompress } from 'hysnappy';
import pMap from 'p-map';
import { jsonOf } from '../../../formats/json.ts';
import { readUvarint } from '../../../formats/uvarint.ts';
import {
  type Attempt,
  askHost,
  type HttpAccess,
  type Open,
  statusFailure,
} from '../../../outbound/ask-host.ts';
import { type Asking, hostUnreachable, refused } from '../../../outbound/asking.ts';
import { readBody } from '../../../outbound/http.ts';
import type { Asset, Sidecar } from '../../release.ts';
import { isTooDeep, maxBundleBytes } from '../../verify/keyless/read-bundle.ts';
import { attestationsName } from '../../verify/sidecar-name.ts';
import { GithubAttestations } from '../schema.ts';
import type { GithubApi, GithubApiSettings } from './api.ts';

/** At 100 a page: 1,000 attestations of one file. */
const maxPages = 10;

/**
 * The build attestations that GitHub keeps of each file, as one sidecar a file: a JSON array of Sigstore bundles. A file without
 * any gets no sidecar. All kinds come in one list, GitHub's own release attestation among them.
 */
export async function fetchAttestations(
  settings: StoreSettings,
  api: GithubApi,
  repository: string,
  assets: readonly Asset[],
  about: Asking,
): Promise<readonly Sidecar[]> {
  const sidecars: Sidecar[] = [];
  for (const { name, digest } of assets) {
    const path = `/repos/${repository}/attestations/sha256:${digest.sha256}?per_page=100`;
    const pages = await api.pages(path, GithubAttestations, about, { maxPages, isKept: false });
    const listed = (pages ?? []).flatMap(({ attestations }) => attestations);
    const bundles = await pMap(
      listed,
      async ({ bundle, bundle_url: url }) =>
        bundle ?? (url == null ? null : fetchStoredBundle(settings, url, name, about)),
      { concurrency: 4 },
    );
    if (bundles.length > 0) sidecars.push({ name: attestationsName(name), text: JSON.stringify(bundles) });
  }
  return sidecars;
}

type StoreSettings = HttpAccess & Pick<GithubApiSettings, 'apiUrl'>;

/**
 * A bundle of which the forge only gives the address: JSON in a snappy block, in a separate store. The address is signed and
 * expires soon, so it is requested without the token, as gh does (cli/cli, pkg/cmd/attestation/api), and never shown.
 * @param file what the bundle is about
 */
async function fetchStoredBundle(
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
  return opened.status === 200 ? { done: body } : statusFailure(opened.status);
}

/** Plain JSON is never valid snappy: `{` would mean 123 bytes that begin with a copy of earlier ones. */
function readJson(body: Buffer): unknown {
  const text = body[0] === 0x7b ? body : readSnappy(body, maxBundleBytes);
  const bundle = text && jsonOf(text.toString('utf8'));
  return isTooDeep(bundle) ? undefined : bundle;
}

/**
 * A snappy block: the length of what is in it as a varint, then what is in it
 * (https://github.com/google/snappy/blob/main/format_description.txt). Undefined when it is invalid, or has more than `maxBytes`.
 */
export function readSnappy(block: Buffer, maxBytes: number): Buffer | undefined {
  const length = readUvarint(block.subarray(0, 5))?.value;
  if (length === undefined || length > maxBytes) return undefined;
  try {
    return Buffer.from(snappyUncompress(block, length));
  } catch {
    return undefined;
  }
}
