import { randomUUID } from 'node:crypto';
import type { AskOptions, Feed } from './feed.ts';
import { makePackage, type Recipe } from './nupkg.ts';
import type { Answer } from './wire/answer.ts';
import { statusLine } from './wire/answer.ts';

/** How a body is dressed for the way: as each client does it (spec nuget-v2 10.2). */
export type PushForm = 'choco2' | 'choco1' | 'raw' | 'odd-part';

export type PushOptions = {
  readonly form?: PushForm;
  /** After the base: `/`, the empty text, `/package`, `/package/`. */
  readonly path?: string;
  /** Instead of base and path. */
  readonly address?: string;
  readonly key?: string | undefined;
  /** Without the credentials of Basic too: their password may be a key. */
  readonly isAnonymous?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  readonly isExpecting?: boolean;
};

/** Pushes and takes back; remembers what came to the feed by it. */
export type Publisher = {
  readonly prefix: string;
  readonly key: string;
  push(nupkg: Buffer, options?: PushOptions): Promise<Answer>;
  /** Finds the address at which this feed takes a push by pushing one package; it is used from then on where none is named. */
  findWay(recipe: Recipe): Promise<Answer>;
  /** Pushes and remembers. */
  publish(recipe: Recipe, options?: PushOptions): Promise<Answer>;
  unlist(
    id: string,
    version: string,
    options?: Pick<PushOptions, 'path' | 'isAnonymous'> & { readonly key?: string },
  ): Promise<Answer>;
  relist(id: string, version: string): Promise<Answer>;
  /** Unlists or deletes whatever was published and is not taken back yet; how many could not be. */
  takeBack(feed: Feed): Promise<{ readonly done: number; readonly failed: readonly string[] }>;
};

const atOnce = 8;
/** Where feeds take a push (spec nuget-v2 10.1), the usual one first. */
const addresses = ['/', '/package/', '/package', ''] as const;

export function createPublisher(feed: Feed, prefix: string, key: string): Publisher {
  const published = new Map<string, Recipe>();
  let way: string = addresses[0];
  const withKey = (shown: string | undefined): Record<string, string> =>
    shown === undefined ? {} : { 'X-NuGet-ApiKey': shown };

  const publisher: Publisher = {
    prefix,
    key,
    push(nupkg, { form = 'choco1', path = way, headers, isExpecting = false, ...rest }: PushOptions = {}) {
      const { address = feed.base + path, isAnonymous = false } = rest;
      const shown = 'key' in rest ? rest.key : key;
      const dressed = dress(nupkg, form);
      return feed.askAddress(address, {
        method: 'PUT',
        isAnonymous,
        ...dressed,
        ...(isExpecting && { isExpecting }),
        headers: { ...dressed.headers, ...withKey(shown), ...headers },
      });
    },
    async findWay(recipe) {
      const tries: Answer[] = [];
      for (const path of addresses) {
        const answer = await publisher.publish(recipe, { path });
        way = path;
        if (answer.status < 300) return answer;
        tries.push(answer);
      }
      way = addresses[0];
      return tries[0] ?? publisher.publish(recipe);
    },
    async publish(recipe, options) {
      const answer = await publisher.push(makePackage(recipe), options);
      // Also what looks refused: a retry of a proxy may have stored it.
      published.set(`${recipe.id} ${recipe.version}`, recipe);
      return answer;
    },
    unlist: (id, version, { path = '/package', key: shown = key, isAnonymous = false } = {}) =>
      feed.ask(`${path}/${encodeURIComponent(id)}/${encodeURIComponent(version)}`, {
        method: 'DELETE',
        isAnonymous,
        headers: withKey(shown),
      }),
    relist: (id, version) =>
      feed.ask(`/package/${encodeURIComponent(id)}/${encodeURIComponent(version)}`, {
        method: 'POST',
        headers: withKey(key),
      }),
    async takeBack(onFeed) {
      const failed: string[] = [];
      const all = [...published.values()];
      await inParallel(all, async ({ id, version }) => {
        const answers = await withdraw(onFeed, id, version, withKey(key));
        if (!answers.some(({ status }) => (status >= 200 && status < 300) || status === 404)) {
          failed.push(`${id} ${version}: ${answers.map(statusLine).join(', ') || 'no answer'}`);
        }
      });
      return { done: all.length - failed.length, failed };
    },
  };
  return publisher;
}

/** On the address that nuget.exe uses, then on the other (spec nuget-v2 10.4). */
async function withdraw(
  feed: Feed,
  id: string,
  version: string,
  headers: Record<string, string>,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const path of ['', '/package']) {
    const name = `${path}/${encodeURIComponent(id)}/${encodeURIComponent(version)}`;
    const answer = await feed.ask(name, { method: 'DELETE', headers }).catch(() => undefined);
    if (answer !== undefined) answers.push(answer);
    if (answer !== undefined && answer.status >= 200 && answer.status < 300) break;
  }
  return answers;
}

export async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

function dress(nupkg: Buffer, form: PushForm): AskOptions & { headers: Record<string, string> } {
  if (form === 'raw') {
    return { body: nupkg, headers: { 'Content-Type': 'application/octet-stream' }, note: 'raw body' };
  }
  const boundary = randomUUID();
  const disposition = {
    choco2: "name=package; filename=package.nupkg; filename*=utf-8''package.nupkg",
    choco1: 'name="package"; filename="package"',
    // The PyPI client chocolatey-choco names the part after the file (spec nuget-v2 18.2).
    'odd-part': 'name="some.1.0.0.nupkg"; filename="some.1.0.0.nupkg"',
  }[form];
  const head = `--${boundary}\r\nContent-Disposition: form-data; ${disposition}\r\nContent-Type: application/octet-stream\r\n\r\n`;
  const isChunked = form === 'choco2';
  return {
    body: Buffer.concat([Buffer.from(head), nupkg, Buffer.from(`\r\n--${boundary}--\r\n`)]),
    headers: { 'Content-Type': `multipart/form-data; boundary=${isChunked ? `"${boundary}"` : boundary}` },
    isChunked,
    note: isChunked ? 'multipart, chunked' : 'multipart, Content-Length',
  };
}
