import { jsonOf } from '../../../formats/json.ts';
import { ask } from './ask.ts';
import { type Check, type Finding, failed, ok, skip } from './check.ts';
import { ofThisMachine } from './server.ts';

/** Whether the addresses in answers are those that clients can use. */
export const links: Check = {
  name: 'links',
  needs: ['public-url'],
  async look(place) {
    const path = 'v3/index.json';
    const { status, text } = await ask(place, `${place.publicUrl}/${path}`);
    if (status !== 401) return judgeLinks(place.publicUrl, status, text);
    // Reading needs a key, and none of ours is sent through what may be a stranger's proxy.
    if (place.server === undefined)
      return skip('reading needs a key (READ_AUTH=all)', 'run the doctor where the server runs');
    return judgeLinks(place.publicUrl, 200, await ofThisMachine(place.server, place).ask(path));
  },
};

/** `text`: the index of NuGet v3, all of whose addresses are absolute. */
export function judgeLinks(base: string, status: number, text: string): Finding {
  const found = addressesIn(jsonOf(text));
  if (status !== 200 || found.length === 0)
    return failed(
      `${base}/v3/index.json answers with status ${status} and no index of NuGet v3`,
      'let the proxy pass every address on unchanged (docs/operate/proxies.md)',
    );
  const wrong = found.find((address) => !address.startsWith(`${base}/`));
  return wrong === undefined
    ? ok(`${found.length} links in the NuGet index begin with ${base}`)
    : failed(
        `links begin with ${new URL(wrong).origin}, and not with ${base}`,
        `start the server with PUBLIC_URL=${base}, or correct PUBLIC_URL here; what is in manifests: bucket:rebase`,
      );
}

function addressesIn(index: unknown): readonly string[] {
  if (typeof index !== 'object' || index === null || !('resources' in index)) return [];
  const { resources } = index;
  if (!Array.isArray(resources)) return [];
  return resources.flatMap((one: { '@id'?: unknown }) =>
    URL.canParse(String(one?.['@id'])) ? [String(one['@id'])] : [],
  );
}
