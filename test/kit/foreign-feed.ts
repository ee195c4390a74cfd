import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { Busboy, type BusboyHeaders } from '@fastify/busboy';
import AdmZip from 'adm-zip';
import { readNuspec } from '../../formats/nuspec.ts';
import { type FakeFeed, type FakePackage, startFakeFeed } from './fake-feed.ts';

export type ForeignFeed = FakeFeed & {
  /** FEED_URL */
  readonly feedUrl: string;
  readonly packages: readonly FakePackage[];
};

/** What it does with a DELETE: mark it as old servers do, or really delete it. */
export type ForeignFeedOptions = { readonly onDelete?: 'unlist' | 'delete' };

/**
 * A v2 feed of another make that takes pushes, as nuget.exe and choco send them (spec nuget-v2 10): no /api/v1, no SemVer level,
 * relative addresses, nothing at Packages(Id,Version), and what was pushed is listed a while after it was answered.
 */
export async function startForeignFeed(
  key: string,
  { onDelete = 'unlist' }: ForeignFeedOptions = {},
): Promise<ForeignFeed> {
  const packages: FakePackage[] = [];
  const taken = new Set<string>();
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const nupkg = await readFilePart(request);
    if (request.headers['x-nuget-apikey'] !== key) {
      response.writeHead(403, 'The specified API key is invalid.').end();
      return;
    }
    const entry = new AdmZip(nupkg).getEntries().find(({ entryName }) => entryName.endsWith('.nuspec'));
    const { id, version } = await readNuspec(entry!.getData());
    const isNew = !taken.has(`${id} ${version}`.toLowerCase());
    response.writeHead(isNew ? 201 : 409).end();
    if (!isNew) return;
    taken.add(`${id} ${version}`.toLowerCase());
    setTimeout(() => packages.push({ id, version, nupkg }), 300);
  };
  const withdraw = (id: string, version: string): number => {
    const at = packages.findIndex((one) => one.id === id && one.version === version);
    const found = packages[at];
    if (found === undefined) return 404;
    const unlisted = { ...found, properties: { Published: '1900-01-01T00:00:00' } };
    packages.splice(at, 1, ...(onDelete === 'unlist' ? [unlisted] : []));
    return 204;
  };
  const feed = await startFakeFeed({
    packages,
    instead: (request, response) => {
      const [, id, version] = /^\/feed\/(\w+)\/([^/]+)$/.exec(request.url ?? '') ?? [];
      if (request.method === 'DELETE' && id !== undefined && version !== undefined) {
        const isRight = request.headers['x-nuget-apikey'] === key;
        response.writeHead(isRight ? withdraw(id, version) : 403).end();
        return true;
      }
      if (request.method !== 'PUT' || !/^\/feed\/(package\/)?$/.test(request.url ?? '')) return false;
      take(request, response).catch(() => response.writeHead(400).end());
      return true;
    },
  });
  return { ...feed, feedUrl: `${feed.url}/feed`, packages };
}

/** The one file of a multipart upload, chunked or not. */
async function readFilePart(request: IncomingMessage): Promise<Buffer> {
  const busboy = new Busboy({ headers: request.headers as BusboyHeaders });
  const file = new Promise<Buffer>((resolve, reject) => {
    busboy.on('file', (_name, stream) => buffer(stream).then(resolve, reject));
    busboy.on('error', reject);
  });
  request.pipe(busboy);
  return file;
}
