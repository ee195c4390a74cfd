import * as z from 'zod';

/** Body of PUT /api/v1/held/TOOL/VERSION, and answer of GET. */
export const NewHeldManifest = z.strictObject({
  packageId: z.string().min(1).max(100),
  manifest: z.string().min(1).describe('The manifest for Scoop, byte for byte.'),
  message: z.string().min(1).max(10_000).describe('Of the commit that publishes it.'),
  corrects: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .describe('The version that it replaces when that one is rolled back, or was.'),
});

export type NewHeldManifest = z.infer<typeof NewHeldManifest>;

/** Element of GET /api/v1/held/TOOL. */
export const HeldVersion = z.object({
  version: z.string(),
  packageId: z.string(),
  sha256: z.string().describe('Of the package, in hex.'),
  hasManifest: z.boolean(),
});
export type HeldVersion = z.infer<typeof HeldVersion>;
