import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Fault, takeFault } from './forge-faults.ts';
import { type ForgeAsset, serveObject } from './forge-store.ts';
import { type Listening, listen } from './listen.ts';

/** A small true GitHub: an API at one origin, releases and their files at another, as api.github.com and github.com are. */

export type ForgeRelease = {
  readonly tag: string;
  readonly isDraft?: boolean;
  readonly isPrerelease?: boolean;
  readonly isImmutable?: boolean;
  readonly publishedAt?: string;
  /** The notes; upstream may edit them at any time, so it is looked at with each request. */
  readonly body?: string;
  readonly assets?: readonly ForgeAsset[];
};
export type ForgeOptions = {
  /** The one token that is valid; any other is answered with 401, as GitHub does also for public data. */
  readonly token?: string;
  /** GitHub names the next page by the repository's number; others by its name. */
  readonly linkForm?: 'number' | 'name';
  /** Where the next page is said to be; for a forge that lies. */
  readonly nextOrigin?: string;
};
export type Forge = {
  /** GITHUB_API_URL */
  readonly apiUrl: string;
  readonly storeUrl: string;
  /**
   * `go-delve/delve`; newest release first. One that is there already has these releases from now on. A private one is 404 without
   * the token.
   */
  addRepository(
    name: string,
    releases: readonly ForgeRelease[],
    options?: { readonly isPrivate?: boolean },
  ): void;
  /**
   * The bundles that the API hands out for a file, whatever they say. With `stored` it hands out addresses of the store instead,
   * as github.com does: there is what `stored` makes of each, or a status.
   */
  addAttestations(
    file: Buffer,
    bundles: readonly object[],
    stored?: (bundle: object) => Buffer | number,
  ): void;
  /** The next requests to the API are answered so; `part` of their address limits it. */
  failApi(fault: Fault, part?: string): void;
  /** Every request: `api GET /repos/...`, `store GET /objects/...`. */
  readonly requests: readonly string[];
  /** What the API answered: 304 costs nothing of the rate limit. */
  readonly apiStatuses: readonly number[];
  /** Requests to the store that carried a token, and any that carried the id of a trace: must stay empty. */
  readonly leaks: readonly string[];
  stop(): Promise<void>;
};

type Repository = {
  readonly id: number;
  readonly name: string;
  readonly isPrivate: boolean;
  readonly releases: readonly ForgeRelease[];
};

export async function startForge(options: ForgeOptions = {}): Promise<Forge> {
  const repositories: Repository[] = [];
  const requests: string[] = [];
  const leaks: string[] = [];
  const apiFaults: Fault[] = [];
  const apiStatuses: number[] = [];
  let failing = '';
  const attestationsOf = new Map<string, readonly object[]>();
  const storedBundles: (Buffer | number)[] = [];
  const assetById = new Map<number, { asset: ForgeAsset; path: string }>();
  const store: Listening = await listen((request, response) => {
    requests.push(`store ${request.method} ${request.url}`);
    if (request.headers.authorization !== undefined) leaks.push(String(request.url));
    if (request.headers.traceparent !== undefined) leaks.push(String(request.url));
    const [, kind, id = ''] = (request.url ?? '').split('/');
    if (kind === 'attestations') return serveStored(response, storedBundles[Number.parseInt(id, 10)]);
    // the release's address redirects to a signed, short-lived one
    const isObject = kind === 'objects';
    const found = isObject
      ? assetById.get(Number(id.split('?')[0]))
      : [...assetById.values()].find(({ path }) => path === request.url);
    if (found === undefined) return answer(response, 404, 'text/plain', 'Not Found');
    if (isObject) return serveObject(request, response, found.asset);
    const number = [...assetById].find(([, other]) => other === found)?.[0];
    return redirect(response, `/objects/${number}?signature=abc`);
  });

  const assetJson = (
    repository: Repository,
    release: ForgeRelease,
    asset: ForgeAsset,
    number: number,
  ): object => {
    const path = `/${repository.name}/releases/download/${encodeURIComponent(release.tag)}/${encodeURIComponent(asset.name)}`;
    const id = repository.id * 1_000_000 + number;
    assetById.set(id, { asset, path });
    const digest = asset.digest ?? true;
    return {
      id,
      url: `${api.url}/repos/${repository.name}/releases/assets/${id}`,
      browser_download_url: `${store.url}${path}`,
      name: asset.name,
      label: null,
      state: asset.isOpen ? 'open' : 'uploaded',
      content_type: 'application/octet-stream',
      size: asset.statedBytes ?? asset.bytes.length,
      digest:
        digest === true ? `sha256:${createHash('sha256').update(asset.bytes).digest('hex')}` : digest || null,
      download_count: 1,
      created_at: '2026-01-01T00:00:00Z',
      updated_at: '2026-01-01T00:00:00Z',
    };
  };
  const releaseJson = (repository: Repository, release: ForgeRelease): object => {
    const index = repository.releases.indexOf(release);
    return {
      id: repository.id * 1000 + index,
      tag_name: release.tag,
      name: release.tag,
      body: release.body ?? null,
      draft: release.isDraft ?? false,
      prerelease: release.isPrerelease ?? false,
      immutable: release.isImmutable ?? false,
      created_at: '2026-01-01T00:00:00Z',
      published_at: release.isDraft ? null : (release.publishedAt ?? '2026-01-01T00:00:00Z'),
      assets: (release.assets ?? []).map((asset, number) =>
        assetJson(repository, release, asset, index * 1000 + number),
      ),
    };
  };

  const api: Listening = await listen((request, response) => {
    requests.push(`api ${request.method} ${request.url}`);
    if (request.headers.traceparent !== undefined) leaks.push(String(request.url));
    response.once('finish', () => apiStatuses.push(response.statusCode));
    const fault = request.url?.includes(failing) ? takeFault(apiFaults) : undefined;
    if (fault !== undefined) return failApiAnswer(response, fault);
    if (request.headers['user-agent'] === undefined) return message(response, 403, 'Request forbidden');
    const hasToken = isAuthorized(request, options.token);
    if (hasToken === 'wrong') return message(response, 401, 'Bad credentials');
    const url = new URL(request.url ?? '/', api.url);
    const found = findRepository(repositories, url.pathname);
    if (found === undefined || (found.repository.isPrivate && !hasToken))
      return message(response, 404, 'Not Found');
    const { repository, rest } = found;

    if (rest === 'releases') {
      const visible = repository.releases.filter(({ isDraft }) => hasToken || !isDraft);
      const perPage = Math.min(100, Number(url.searchParams.get('per_page') ?? 30));
      const page = Number(url.searchParams.get('page') ?? 1);
      const items = visible.slice((page - 1) * perPage, page * perPage);
      if (page * perPage < visible.length) {
        response.setHeader('link', nextLink(repository, url, page + 1));
      }
      return json(
        request,
        response,
        items.map((release) => releaseJson(repository, release)),
      );
    }
    const tag = /^releases\/tags\/([^/]+)$/.exec(rest)?.[1];
    if (tag !== undefined) {
      const release = repository.releases.find((one) => one.tag === decodeURIComponent(tag) && !one.isDraft);
      return release === undefined
        ? message(response, 404, 'Not Found')
        : json(request, response, releaseJson(repository, release));
    }
    const digest = /^attestations\/(sha256:[0-9a-f]{64})$/.exec(rest)?.[1];
    if (digest !== undefined) {
      const all = attestationsOf.get(digest);
      if (all === undefined) return message(response, 404, 'Not Found');
      const start = Number(url.searchParams.get('after') ?? 0);
      const end = start + Number(url.searchParams.get('per_page') ?? 30);
      if (end < all.length)
        response.setHeader(
          'link',
          `<${api.url}${url.pathname}?per_page=${end - start}&after=${end}>; rel="next"`,
        );
      return json(request, response, { attestations: all.slice(start, end) });
    }
    const id = Number(/^releases\/assets\/(\d+)$/.exec(rest)?.[1]);
    if (assetById.has(id) && request.headers.accept === 'application/octet-stream') {
      return redirect(response, `${store.url}/objects/${id}?signature=abc`);
    }
    return message(response, 404, 'Not Found');
  });

  const nextLink = (repository: Repository, url: URL, page: number): string => {
    const base = options.nextOrigin ?? api.url;
    const path = options.linkForm === 'name' ? `/repos/${repository.name}` : `/repositories/${repository.id}`;
    const target = (number: number | string): string =>
      `<${base}${path}/releases?per_page=${url.searchParams.get('per_page')}&page=${number}>`;
    return `${target(1)}; rel="first", ${target(page)}; rel="next", ${target('9')}; rel="last"`;
  };

  return {
    apiUrl: api.url,
    storeUrl: store.url,
    addRepository: (name, releases, { isPrivate = false } = {}) => {
      const known = repositories.findIndex((one) => one.name === name);
      const at = known < 0 ? repositories.length : known;
      repositories[at] = { id: at + 1, name, releases, isPrivate };
    },
    addAttestations: (file, bundles, stored) => {
      const attestations = bundles.map((bundle) => {
        if (stored === undefined) return { repository_id: 1, bundle };
        const number = storedBundles.push(stored(bundle)) - 1;
        const address = `${store.url}/attestations/${number}.json.sn?sig=signed`;
        return { repository_id: 1, bundle_url: address, initiator: 'user', bundle: null };
      });
      attestationsOf.set(`sha256:${createHash('sha256').update(file).digest('hex')}`, attestations);
    },
    failApi: (fault, part = '') => {
      failing = part;
      apiFaults.push({ ...fault });
    },
    requests,
    apiStatuses,
    leaks,
    stop: async () => {
      await api.stop();
      await store.stop();
    },
  };
}

function serveStored(response: ServerResponse, stored: Buffer | number | undefined): void {
  if (Buffer.isBuffer(stored)) {
    response.writeHead(200, { 'content-type': 'application/x-snappy' }).end(stored);
  } else {
    answer(response, stored ?? 404, 'application/xml', '<Error/>');
  }
}

function findRepository(
  repositories: readonly Repository[],
  path: string,
): { repository: Repository; rest: string } | undefined {
  for (const repository of repositories) {
    for (const prefix of [`/repos/${repository.name}/`, `/repositories/${repository.id}/`]) {
      if (path.startsWith(prefix)) return { repository, rest: path.slice(prefix.length) };
    }
  }
  return undefined;
}

function isAuthorized({ headers }: IncomingMessage, token: string | undefined): boolean | 'wrong' {
  if (headers.authorization === undefined) return false;
  return token !== undefined && headers.authorization === `Bearer ${token}` ? true : 'wrong';
}

function failApiAnswer(response: ServerResponse, fault: Fault): void {
  if (fault.kind === 'status')
    message(response, fault.status, fault.message ?? 'Server Error', fault.headers);
  else if (fault.kind === 'html')
    answer(response, 200, 'text/html', '<!DOCTYPE html><title>Unicorn!</title>');
  else if (fault.kind === 'bytes') response.end(fault.bytes);
  else if (fault.kind !== 'hang') response.destroy();
}

/** With a weak ETag, and 304 without a body for who sends it back verbatim. */
function json(request: IncomingMessage, response: ServerResponse, value: unknown): void {
  const text = JSON.stringify(value);
  const etag = `W/"${createHash('sha256').update(text).digest('hex')}"`;
  response.setHeader('etag', etag);
  if (request.headers['if-none-match'] === etag) {
    response.removeHeader('link');
    response.writeHead(304).end();
    return;
  }
  answer(response, 200, 'application/json; charset=utf-8', text);
}

function message(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string> = {},
): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  answer(response, status, 'application/json; charset=utf-8', JSON.stringify({ message: text }));
}

function redirect(response: ServerResponse, location: string): void {
  response.setHeader('location', location);
  answer(response, 302, 'text/html', '');
}

function answer(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type }).end(body);
}
