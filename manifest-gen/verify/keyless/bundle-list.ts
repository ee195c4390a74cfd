import { z } from 'zod';
import { jsonOf } from '../../../formats/json.ts';
import { isTooDeep } from './read-bundle.ts';

/** A bundle as a forge or registry returns it; its content is checked later. Nested too deep, it could not even be serialised. */
export const AnyBundle = z.unknown().refine((bundle) => !isTooDeep(bundle), 'nests too deep');

const BundleList = z.array(AnyBundle);

/**
 * The texts of the bundles in a sidecar of attestations; undefined when it is not a list of them. Our own source wrote it, or the
 * signer of a bundle.
 */
export function readBundleList(text: string): readonly string[] | undefined {
  return BundleList.safeParse(jsonOf(text)).data?.map((bundle) => JSON.stringify(bundle));
}
