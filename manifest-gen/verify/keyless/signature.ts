import { toSignedEntity } from '@sigstore/verify';
import type { Signer } from '../../trust.ts';
import { judge, type Problem, problemOf } from './judge.ts';
import { readBundle } from './read-bundle.ts';
import type { Root } from './trusted-root.ts';

/** What is wrong with a bundle (`X.sigstore.json`, cosign 3) as a signature of these bytes by this signer. */
export function problemOfBundle(bundleText: string, signed: Buffer, signer: Signer, root: Root): Problem {
  return problemOf(() => {
    const bundle = readBundle(bundleText);
    if (bundle.content.$case !== 'messageSignature') return 'it is a statement, not a signature of the file';
    return judge(toSignedEntity(bundle, signed), root, signer);
  });
}
