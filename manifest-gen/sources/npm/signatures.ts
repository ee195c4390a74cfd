import type * as z from 'zod';
import { type Attempt, askHost, faultOfAnswer, type HttpAccess } from '../../../outbound/ask-host.ts';
import { type Asking, hostUnreachable } from '../../../outbound/asking.ts';
import { readBody } from '../../../outbound/http.ts';
import type { Sidecar } from '../../release.ts';
import {
  attestationsName,
  NpmKeys,
  type RegistrySignatures,
  registrySignaturesName,
} from '../../verify/sidecar-name.ts';
import { decodeJson } from '../asking.ts';
import { NpmAttestations, type NpmDist } from '../schema.ts';

export type RegistryAccess = HttpAccess & {
  /** As npm's own settings name it for this package. */
  readonly registry: string;
};
type Signed = { readonly spec: string; readonly dist: NpmDist; readonly published: string | undefined };

const maxJsonBytes = 8 * 1024 * 1024;

/**
 * The registry's evidence for a tarball besides its hash, as sidecars of that file: its own signatures with its keys, and the
 * attestations of publication and build. The registry's metadata says which of them exist; nothing else is requested.
 */
export async function fetchSignatures(
  access: RegistryAccess,
  { spec, dist, published }: Signed,
  file: string,
  about: Asking,
): Promise<readonly Sidecar[]> {
  const get = <T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> =>
    getJson(access, `${access.registry.replace(/\/+$/, '')}${path}`, schema, about);
  const sidecars: Sidecar[] = [];
  const { signatures = [], attestations } = dist;
  const keys =
    signatures.length + (attestations ? 1 : 0) === 0 ? undefined : await get('/-/npm/v1/keys', NpmKeys);
  if (keys !== undefined) {
    const said: RegistrySignatures = { spec, published, signatures, keys: keys.keys };
    sidecars.push({ name: registrySignaturesName(file), text: JSON.stringify(said) });
  }
  if (attestations !== undefined) {
    const answer = await get(`/-/npm/v1/attestations/${spec.replace('/', '%2f')}`, NpmAttestations);
    const bundles = answer?.attestations.map(({ bundle }) => bundle ?? null) ?? [];
    sidecars.push({ name: attestationsName(file), text: JSON.stringify(bundles) });
  }
  return sidecars;
}

/** Undefined when the registry has no such address for us: a mirror without it, or one that needs a key that only npm has. */
async function getJson<T>(
  access: RegistryAccess,
  url: string,
  schema: z.ZodType<T>,
  about: Asking,
): Promise<T | undefined> {
  const result = await askHost(access, url, async (open): Promise<Attempt<string | undefined>> => {
    const opened = await open({ headers: { accept: 'application/json' }, decompress: true });
    const { status } = opened;
    const text = (await readBody(opened, maxJsonBytes)).toString('utf8');
    const fault = status === 200 ? faultOfAnswer(text) : undefined;
    if (fault !== undefined) return { failed: fault };
    if (status === 200) return { done: text };
    return status < 500 && status !== 429
      ? { done: undefined }
      : { failed: `it answers with status ${status}` };
  });
  if ('failed' in result) return hostUnreachable(about, result);
  if (result.done === undefined) return undefined;
  return decodeJson(result.done, schema, about, new URL(url).pathname, "the registry's JSON");
}
