import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { listen } from './listen.ts';
import { productDir } from './test-server.ts';

/** An entry as far as an index needs it; the rest is anything. */
export type VulnEntry = {
  readonly id: string;
  readonly modified?: string;
  readonly affected: readonly ({ readonly package: { readonly name: string } } & Readonly<
    Record<string, unknown>
  >)[];
};

/** True entries of the Go vulnerability database (test/fixtures/vulndb). */
export async function readVulnFixtures(): Promise<readonly VulnEntry[]> {
  const dir = join(productDir, 'test', 'fixtures', 'vulndb');
  const names = (await readdir(dir)).filter((name) => name.endsWith('.json')).sort();
  return Promise.all(
    names.map(async (name) => JSON.parse(await readFile(join(dir, name), 'utf8')) as VulnEntry),
  );
}

/** An entry that says: this module, from the beginning up to `fixed`. */
export function makeVuln(
  id: string,
  module: string,
  fixed: string | undefined,
  more: object = {},
): VulnEntry & Readonly<Record<string, unknown>> {
  const pkg = { name: module, ecosystem: 'Go' };
  return {
    schema_version: '1.3.1',
    id,
    modified: '2026-01-02T03:04:05Z',
    published: '2026-01-02T03:04:05Z',
    aliases: [id.replace('GO', 'CVE')],
    summary: `Something bad in ${module}`,
    details: 'Made for a test.',
    affected: [
      {
        package: pkg,
        ranges: [
          {
            type: 'SEMVER',
            events: [{ introduced: '0' }, ...(fixed === undefined ? [] : [{ fixed }])],
          },
        ],
      },
    ],
    database_specific: { url: `https://pkg.go.dev/vuln/${id}`, review_status: 'REVIEWED' },
    ...more,
  };
}

/** The files of a database: `index/db`, `index/modules`, `ID/...`, without the ending. */
export function vulnFiles(entries: readonly VulnEntry[]): ReadonlyMap<string, string> {
  const modules = new Map<string, { id: string; modified: string }[]>();
  for (const { id, modified = '', affected } of entries) {
    for (const path of new Set(affected.map((one) => one.package.name))) {
      modules.set(path, [...(modules.get(path) ?? []), { id, modified }]);
    }
  }
  const index = [...modules]
    .map(([path, vulns]) => ({ path, vulns }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  return new Map([
    ['index/db', JSON.stringify({ modified: '2026-11-05T23:49:57Z' })],
    ['index/modules', JSON.stringify(index)],
    // govulncheck has no use for it, but it belongs to the layout
    ['index/vulns', '[]'],
    ...entries.map((entry): [string, string] => [`ID/${entry.id}`, JSON.stringify(entry)]),
  ]);
}

/** A database in a folder, plain or compressed. */
export async function writeVulnDb(
  dir: string,
  entries: readonly VulnEntry[],
  ending: '.json' | '.json.gz' = '.json',
): Promise<string> {
  for (const folder of ['index', 'ID']) await mkdir(join(dir, folder), { recursive: true });
  for (const [name, text] of vulnFiles(entries)) {
    await writeFile(join(dir, `${name}${ending}`), ending === '.json' ? text : gzipSync(text));
  }
  return dir;
}

export type VulnServer = {
  readonly url: string;
  /** `200 /index/db.json.gz`, in order. */
  readonly asked: string[];
  /** What it serves from now on. */
  serve(entries: readonly VulnEntry[]): void;
  /** Answers instead of the files, once for each: a status. */
  readonly faults: number[];
  stop(): Promise<void>;
};

/** A database on the web with ETags, as vuln.go.dev is. */
export async function startVulnServer(
  entries: readonly VulnEntry[],
  { ending = '.json.gz' }: { readonly ending?: '.json' | '.json.gz' } = {},
): Promise<VulnServer> {
  let files = vulnFiles(entries);
  const asked: string[] = [];
  const faults: number[] = [];
  const server = await listen((request, response) => {
    const path = request.url ?? '';
    const text = path.endsWith(ending) ? files.get(path.slice(1, -ending.length)) : undefined;
    const etag = `"${createHash('sha256')
      .update(text ?? '')
      .digest('hex')}"`;
    const status =
      faults.shift() ?? (text === undefined ? 404 : request.headers['if-none-match'] === etag ? 304 : 200);
    asked.push(`${status} ${path}`);
    const body = status !== 200 || text === undefined ? undefined : text;
    response.writeHead(status, { etag });
    response.end(body === undefined ? '' : ending === '.json' ? body : gzipSync(body));
  });
  return {
    url: server.url,
    asked,
    faults,
    serve: (next) => {
      files = vulnFiles(next);
    },
    stop: server.stop,
  };
}
