import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toTrustMaterial, type VerifierOptions } from '@sigstore/verify';
import * as z from 'zod';
import { fail } from '../../../errors/release-error.ts';

/** The authorities and logs that keyless signatures must lead to, and how many of their marks each signature must bear. */
export type Root = {
  readonly material: ReturnType<typeof toTrustMaterial>;
  readonly thresholds: Required<
    Pick<VerifierOptions, 'tlogThreshold' | 'ctlogThreshold' | 'timestampThreshold'>
  >;
};

/** A key that npm registries sign with, by its id; `undefined` when there is none. */
export type KeyFinder = Parameters<typeof toTrustMaterial>[1];

/**
 * @param file JSON of Sigstore's TrustedRoot; without one, the root of the public good instance (decision 20)
 * @throws ReleaseError TOOL_FILE_INVALID when the file cannot be read or is invalid
 */
export async function loadRoot(file: string | undefined, keys?: KeyFinder): Promise<Root> {
  const text = await readRootText(file);
  try {
    const root = TrustedRoot.fromJSON(JSON.parse(text));
    if (root.certificateAuthorities.length === 0) throw new Error('it names no certificate authority');
    return {
      material: toTrustMaterial(root, keys),
      // A company's own authority may come without logs; where the root has some, each signature must be in one.
      // A time that is attested (by log or timestamp authority) is needed in any case: certificates live for ten minutes.
      thresholds: {
        tlogThreshold: Math.min(1, root.tlogs.length),
        ctlogThreshold: Math.min(1, root.ctlogs.length),
        timestampThreshold: 1,
      },
    };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'it cannot be read';
    return fail(
      'TOOL_FILE_INVALID',
      { file: file ?? publicGoodName, problems: `no trusted root: ${reason}` },
      cause,
    );
  }
}

/** The root's JSON, as `loadRoot` takes it. @throws ReleaseError TOOL_FILE_INVALID when the file cannot be read */
export async function readRootText(file: string | undefined): Promise<string> {
  if (file === undefined) return publicGoodRoot();
  return readFile(file, 'utf8').catch((cause: unknown) =>
    fail('TOOL_FILE_INVALID', { file, problems: 'trustedRoot cannot be read' }, cause),
  );
}

const publicGoodName = 'https://tuf-repo-cdn.sigstore.dev';
const Seeds = z.object({
  [publicGoodName]: z.object({ targets: z.object({ 'trusted_root.json': z.base64() }) }),
});

/** As Sigstore's own package brings it, signed into its TUF repository: no network is asked, and the lock file pins it. */
function publicGoodRoot(): string {
  const seeds: unknown = createRequire(import.meta.url)('@sigstore/tuf/seeds.json');
  const target = Seeds.parse(seeds)[publicGoodName].targets['trusted_root.json'];
  return Buffer.from(target, 'base64').toString('utf8');
}
