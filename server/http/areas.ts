/** One part of the address space and what applies to all of it, whichever route answers. */
export type Area = {
  /** The part's name in logs. */
  readonly label: string;
  /** The format of errors: OData XML, a line of text, problem+json, a page for people. */
  readonly errors: 'odata' | 'text' | 'json' | 'page';
  /**
   * The setting of READ_AUTH from which on reading needs a key with `read`; `never`: it never does (Scoop sends no credentials
   * there, contract section 2).
   */
  readonly readAuth: 'feed' | 'all' | 'never';
  /** Requests may contain gigabytes and take hours. */
  readonly isForUploads?: true;
};

/** The first match counts; the last one matches everything. */
const areas: readonly (Area & { readonly at: RegExp })[] = [
  { at: /^\/(healthz|readyz)\/?$/i, label: 'ops', errors: 'text', readAuth: 'never' },
  { at: /^\/metrics\/?$/i, label: 'metrics', errors: 'text', readAuth: 'all' },
  { at: /^\/install\.[^/]+$/i, label: 'install', errors: 'text', readAuth: 'never' },
  // What single clients are offered (contract section 9).
  { at: /^\/m\/c(\/|$)/i, label: 'manifest', errors: 'text', readAuth: 'feed' },
  { at: /^\/m(\/|$)/i, label: 'manifest', errors: 'text', readAuth: 'never' },
  { at: /^\/dl\/.*\.sha256$/i, label: 'payload-hash', errors: 'text', readAuth: 'never' },
  { at: /^\/dl(\/|$)/i, label: 'payload', errors: 'text', readAuth: 'all', isForUploads: true },
  { at: /^\/git\/.*\/git-receive-pack$/, label: 'git', errors: 'text', readAuth: 'all', isForUploads: true },
  { at: /^\/git\/c(\/|$)/i, label: 'git', errors: 'text', readAuth: 'feed' },
  { at: /^\/git(\/|$)/i, label: 'git', errors: 'text', readAuth: 'all' },
  // The same for one client: reading only.
  { at: /^\/(nuget|api\/v2)\/c\/[^/]+\/package\/./i, label: 'package', errors: 'odata', readAuth: 'feed' },
  { at: /^\/(nuget|api\/v2)\/c\/[^/]/i, label: 'feed', errors: 'odata', readAuth: 'feed' },
  { at: /^\/v3\/c\/[^/]+(\/index\.json)?\/?$/i, label: 'v3', errors: 'json', readAuth: 'all' },
  { at: /^\/v3\/c\/[^/]+\/flat\/./i, label: 'v3-package', errors: 'json', readAuth: 'feed' },
  { at: /^\/(nuget|api\/v2)\/package\/./i, label: 'package', errors: 'odata', readAuth: 'feed' },
  {
    at: /^\/(nuget|api\/v2)(\/|$)/i,
    label: 'feed',
    errors: 'odata',
    readAuth: 'feed',
    isForUploads: true,
  },
  {
    at: /^\/v3\/publish(\/|$)/i,
    label: 'v3-publish',
    errors: 'json',
    readAuth: 'feed',
    isForUploads: true,
  },
  // Only addresses, nothing of the feed (contract section 2); `/v3` leads to it.
  { at: /^\/v3(\/index\.json)?\/?$/i, label: 'v3', errors: 'json', readAuth: 'all' },
  { at: /^\/v3\/flat\/./i, label: 'v3-package', errors: 'json', readAuth: 'feed' },
  { at: /^\/v3(\/|$)/i, label: 'v3', errors: 'json', readAuth: 'feed' },
  // Its own route requires a key, with any scope.
  { at: /^\/api\/v1\/key\/?$/i, label: 'api', errors: 'json', readAuth: 'never' },
  { at: /^\/(api\/v1(\/|$)|openapi\.json$)/i, label: 'api', errors: 'json', readAuth: 'all' },
  // They name versions that the feed does not show to everybody.
  { at: /^\/rollouts(\/|$)/i, label: 'page', errors: 'page', readAuth: 'feed' },
  { at: /^/, label: 'page', errors: 'page', readAuth: 'all' },
];
const elsewhere: Area = { label: 'page', errors: 'page', readAuth: 'all' };

/** The area of a raw path (Express also matches routes against it undecoded). */
export function areaOf(path: string): Area {
  return areas.find(({ at }) => at.test(path)) ?? elsewhere;
}

/** The id or tool in a path, if the request is about only one: keys may be limited to some. */
export function subjectOf(path: string): string | undefined {
  const [, id] =
    /^\/(?:(?:nuget|api\/v2)(?:\/c\/[^/]+)?\/package|v3(?:\/c\/[^/]+)?\/flat|dl)\/([^/]+)/i.exec(path) ?? [];
  if (id !== undefined) return decode(id);
  const [, file] = /^\/m\/c\/[^/]+\/([^/]+)/i.exec(path) ?? [];
  // As manifests/router.ts reads it.
  return file === undefined ? undefined : decode(file).replace(/\.json$/, '');
}

/** The client whose address it is, as it was written: keys may be limited to some. */
export function clientOf(path: string): string | undefined {
  const [, client] = /^\/(?:nuget|api\/v2|v3|m|git)\/c\/([^/]+)/i.exec(path) ?? [];
  return client === undefined ? undefined : decode(client);
}

/** Decodes as the routes do, or else returns an id that no key allows, so that no spelling circumvents a limit. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // The route refuses the address.
    return text;
  }
}
