import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { digestFile } from '../../formats/digest.ts';
import { openNupkg } from '../../formats/nupkg.ts';
import type { Architecture, ReleaseRecord } from '../../formats/release-record.ts';
import { fail } from '../errors.ts';
import { exeName } from '../payload-file.ts';
import { downloadFile } from '../publish/feed-client.ts';
import type { Released } from '../publish/released.ts';
import { isUpstreamPlace, payloadAddress } from '../render/payload-place.ts';
import type { Tool } from '../tools.ts';
import { makeWhole, pipeToFile } from '../whole-file.ts';
import type { Context } from './context.ts';

type Exe = { readonly architecture: Architecture; readonly path: string };
type Payload = ReleaseRecord['payloads'][number];

/**
 * The exes of a release of ours: amd64 out of its package, the others from where Scoop gets them. One that is not there is
 * warned of: what is known of the others is still worth knowing.
 * @throws ReleaseError OTHER_BYTES for other bytes than the record's, PLACE_UNREACHABLE, FEED_*
 */
export async function takeExes(
  tool: Tool,
  released: Released,
  dir: string,
  context: Context,
): Promise<readonly Exe[]> {
  const exes = await takePackaged(tool, released, dir);
  const others = released.record?.payloads.filter(({ architecture }) => architecture !== 'amd64') ?? [];
  for (const payload of others) {
    const path = await takePayload(tool, released.version, payload, context);
    if (path !== undefined) exes.push({ architecture: payload.architecture, path });
  }
  return exes;
}

async function takePackaged(tool: Tool, { nupkgPath }: Released, dir: string): Promise<Exe[]> {
  const nupkg = await openNupkg(nupkgPath);
  try {
    const name = `tools/${exeName(tool)}`;
    if (!nupkg.entries.some((entry) => entry.name === name)) return [];
    const path = join(dir, exeName(tool));
    await pipeToFile(path, [await nupkg.openEntry(name)]);
    return [{ architecture: 'amd64', path }];
  } finally {
    await nupkg.close();
  }
}

/** Downloaded once; later runs take it from the cache after hashing it again. */
async function takePayload(
  tool: Tool,
  version: string,
  { architecture, file, sha256 }: Payload,
  { feed, places, world }: Context,
): Promise<string | undefined> {
  const path = join(await world.cache.download({ sha256 }), file);
  const there = await digestFile(path).catch(() => undefined);
  if (there?.sha256 === sha256) return path;

  const unseen = (why: string): undefined => {
    world.report.warn(tool.tool, `nobody looks into the ${architecture} exe of ${version}: ${why}`);
  };
  // an archive of upstream's, which is not taken apart for this
  if (isUpstreamPlace(places.payloadPutUrl)) return unseen("clients download upstream's own file");
  const url = payloadAddress({ payloadUrl: places.payloadPutUrl }, tool, version, file);
  const digest = await makeWhole(path, async (part) => {
    const got = await downloadFile(feed, url, part);
    if (got === undefined || got.sha256 === sha256) return got;
    const expected = `SHA-256 ${sha256} as recorded`;
    return fail('OTHER_BYTES', { tool: tool.tool, version, file, expected, found: got.sha256 });
  });
  if (digest !== undefined) return path;
  // an empty file, which nobody could take for the exe
  await rm(path, { force: true });
  return unseen(`${url} is not there`);
}
