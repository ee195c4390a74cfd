import { dayMs } from '../../formats/duration.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Payloads } from '../catalog/payloads.ts';

export type ToolAgeServices = {
  readonly bucket: {
    listManifests(
      channel: 'main' | 'beta',
    ): Promise<readonly { readonly tool: string; readonly version: string }[]>;
  };
  readonly payloads: Pick<Payloads, 'list'>;
  readonly catalog: Pick<Catalog, 'find'>;
  readonly now: () => Date;
};

export type ToolAge = { readonly tool: string; readonly channel: string; readonly days: number };

/**
 * How long ago each channel's current version of a tool came to this server: as a payload, or as a package if the payloads are
 * elsewhere. A tool with neither has no age.
 */
export async function readToolAges(services: ToolAgeServices): Promise<ToolAge[]> {
  const ages: ToolAge[] = [];
  for (const channel of ['main', 'beta'] as const) {
    for (const { tool, version } of await services.bucket.listManifests(channel)) {
      const came = await arrivalOf(services, tool, version);
      if (came !== undefined) {
        ages.push({ tool, channel, days: (services.now().getTime() - came.getTime()) / dayMs });
      }
    }
  }
  return ages;
}

async function arrivalOf(
  { payloads, catalog }: ToolAgeServices,
  tool: string,
  version: string,
): Promise<Date | undefined> {
  const [payload] = await payloads.list(tool, version);
  return payload?.created ?? (await catalog.find(tool, version))?.published;
}
