import * as z from 'zod';

/** The parts of NuGet v3 documents that an import reads (spec nuget-v2 14); servers differ in everything else. */
export const ServiceIndex = z.object({
  version: z.string(),
  resources: z.array(z.object({ '@id': z.string(), '@type': z.union([z.string(), z.array(z.string())]) })),
});
export type ServiceIndex = z.infer<typeof ServiceIndex>;

export const SearchPage = z.object({ data: z.array(z.object({ id: z.string() })) });

const Leaf = z.object({
  packageContent: z.string().nullish(),
  catalogEntry: z.object({
    id: z.string(),
    version: z.string(),
    listed: z.boolean().nullish(),
    published: z.string().nullish(),
    packageSize: z.number().nullish(),
    packageHash: z.string().nullish(),
    packageHashAlgorithm: z.string().nullish(),
  }),
});
export type Leaf = z.infer<typeof Leaf>;

/** A page whose leaves are in another document only has its address. */
const LeafPage = z.object({ '@id': z.string().nullish(), items: z.array(Leaf).nullish() });
export const RegistrationPage = z.object({ items: z.array(Leaf) });
export const Registration = z.object({ items: z.array(LeafPage) });

export const Versions = z.object({ versions: z.array(z.string()) });
