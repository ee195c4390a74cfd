import { toSignedEntity } from '@sigstore/verify';
import { type Judged, judge, judged } from './judge.ts';
import { readBundle } from './read-bundle.ts';
import type { Root } from './trusted-root.ts';
import { UnreadableSignature } from './unreadable.ts';

/** A bundle (`X.sigstore.json`, or what cosign wrote before version 3) as a signature of these bytes. */
export function judgeBundle(bundleText: string, signed: Buffer, root: Root): Judged {
  return judged(() => {
    const bundle = readBundle(bundleText, signed);
    if (bundle.content.$case !== 'messageSignature') {
      throw new UnreadableSignature('it is a statement, not a signature of the file', { isOtherForm: true });
    }
    return judge(toSignedEntity(bundle, signed), root);
  });
}
