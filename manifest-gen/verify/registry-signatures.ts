import { z } from 'zod';

export const NpmSignatures = z.array(z.object({ keyid: z.string(), sig: z.string() }));

/** `GET /-/npm/v1/keys` of a registry. */
export const NpmKeys = z.object({
  keys: z.array(z.object({ keyid: z.string(), key: z.string(), expires: z.string().nullish() })),
});

/** The sidecar that holds what a registry signs of a tarball. */
export const RegistrySignatures = NpmKeys.extend({
  spec: z.string(),
  published: z.string().optional(),
  signatures: NpmSignatures,
});
export type RegistrySignatures = z.infer<typeof RegistrySignatures>;
