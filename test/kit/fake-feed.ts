import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { digestBytes } from '../../formats/digest.ts';
import { type Listening, listen } from './listen.ts';

export type FakePackage = {
  readonly id: string;
  readonly version: string;
  readonly nupkg: Buffer;
  /** Further properties of its entry, or other values of the usual ones; undefined leaves one out. */
  readonly properties?: Readonly<Record<string, string | undefined>>;
};

export type FakeFeed = Listening & {
  /** `GET /feed/Packages()?...` with its Authorization header, if any. */
  readonly requests: readonly { readonly line: string; readonly authorization: string | undefined }[];
};

export type FakeFeedOptions = {
  readonly packages: readonly FakePackage[];
  readonly pageSize?: number;
  /** Answers in place of the feed when it returns true. */
  readonly instead?: (request: IncomingMessage, response: ServerResponse) => boolean;
};

/**
 * A v2 feed as small servers are: no counts, relative links, no semVerLevel (400 for parameters that it does not know),
 * gzip unasked for, pages by $skip. Its address is `url` + `/feed`.
 */
export async function startFakeFeed({
  packages,
  pageSize = 30,
  instead,
}: FakeFeedOptions): Promise<FakeFeed> {
  const requests: { line: string; authorization: string | undefined }[] = [];
  const server = await listen((request, response) => {
    const url = new URL(request.url ?? '/', 'http://fake.invalid');
    requests.push({
      line: `${request.method} ${decodeURIComponent(request.url ?? '')}`,
      authorization: request.headers.authorization,
    });
    if (instead?.(request, response)) return;
    const download = /^\/feed\/dl\/([^/]+)\/([^/]+)$/.exec(url.pathname);
    if (download !== null) {
      const [, id, version] = download;
      const found = packages.find(
        (one) => one.id === id && one.version === decodeURIComponent(version ?? ''),
      );
      response.writeHead(found === undefined ? 404 : 200).end(found?.nupkg);
      return;
    }
    const list = /^\/feed\/(Packages|FindPackagesById)\(\)$/.exec(url.pathname);
    if (list === null || url.searchParams.has('semVerLevel')) {
      response.writeHead(url.pathname === '/feed/' ? 200 : 400).end('<?xml version="1.0"?><service/>');
      return;
    }
    const id = url.searchParams.get('id')?.replaceAll("'", '');
    const skip = Number(url.searchParams.get('$skip') ?? 0);
    const all = packages.filter((one) => id === undefined || one.id === id);
    url.searchParams.set('$skip', String(skip + pageSize));
    const next =
      skip + pageSize < all.length ? `${url.pathname.replace('/feed/', '')}${url.search}` : undefined;
    const text = feedOf(all.slice(skip, skip + pageSize), next);
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(text));
  });
  return { ...server, requests };
}

function feedOf(packages: readonly FakePackage[], next: string | undefined): string {
  const link = next === undefined ? '' : `<link rel="next" href="${next.replaceAll('&', '&amp;')}"/>`;
  return `<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:base="/feed/">${packages.map(entryOf).join('')}${link}</feed>`;
}

function entryOf({ id, version, nupkg, properties }: FakePackage): string {
  const all: Readonly<Record<string, string | undefined>> = {
    Version: version,
    PackageHash: Buffer.from(digestBytes(nupkg).sha512, 'hex').toString('base64'),
    PackageHashAlgorithm: 'SHA512',
    Published: '2020-02-03T04:05:06.789',
    ...properties,
  };
  const texts = Object.entries(all).map(([name, text]) =>
    text === undefined ? '' : `<d:${name}>${text}</d:${name}>`,
  );
  return `<entry><title>${id}</title><content src="dl/${id}/${encodeURIComponent(version)}"/><m:properties xmlns:m="m" xmlns:d="d">${texts.join('')}</m:properties></entry>`;
}
