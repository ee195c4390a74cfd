import { z } from 'zod';
import { jsonOf } from '../../../formats/json.ts';
import { isTooDeep } from './read-bundle.ts';

/** A bundle as a forge or registry hands it out; what it says is looked at where it is judged. Too deep, it could not even be written. */
export const AnyBundle = z.unknown().refine((bundle) => !isTooDeep(bundle), 'nests too deep');

const BundleList = z.array(AnyBundle);

/**
 * The texts of the bundles in a sidecar of attestations; undefined when it is no list of them. A source of ours wrote it, or
 * whoever signed what it came in.
 */
export function readBundleList(text: string): readonly string[] | undefined {
  return BundleList.safeParse(jsonOf(text)).data?.map((bundle) => JSON.stringify(bundle));
}
