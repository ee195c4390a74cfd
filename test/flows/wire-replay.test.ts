import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseStringPromise } from 'xml2js';
import { type Nuspec, writeNuspec } from '../../formats/nuspec.ts';
import { type HouseOptions, pushNupkg, startHouse, type TestHouse } from '../kit/house.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import derivedPackages from '../wire/derived/packages.json' with { type: 'json' };
import { type RawAnswer, sendRaw } from '../wire/raw-http.ts';
import { type RecordedCommand, type RecordedRequest, readRecording } from '../wire/recording.ts';

type Package = Partial<Nuspec> & {
  readonly id: string;
  readonly version: string;
  readonly unlisted?: boolean;
};
/** A server and the bytes that were published on it, by `id version`. */
type World = { readonly house: TestHouse; readonly published: Map<string, Buffer> };

const lowerAndUpper: readonly Package[] = [
  ...['1.0.0', '1.5.0', '2.0.0'].map((version) => ({ id: 'lower', version })),
  ...['1.0.0', '1.1.0-beta1', '1.1.0-beta.1'].map((version) => ({
    id: 'upper',
    version,
    dependencies: [{ id: 'lower', range: '[1.0.0,2.0.0)' }],
  })),
];
const delve = (version: string): Package => ({ id: 'delve', version });

replay('choco-0.10.15-basic', [delve('1.22.0')], { settings: { readAuth: 'feed' } });
replay('choco-0.10.15', [delve('1.21.2'), ...lowerAndUpper], {
  from: { 'outdated -s URL': delve('1.22.0') },
});
replay('choco-0.10.15-many', [
  ...Array.from({ length: 250 }, (_, patch) => ({ id: 'many', version: `1.0.${patch}` })),
  ...lowerAndUpper,
  { id: 'tagged', version: '1.0.0', tags: ['Cloud', 'CLI'] },
]);
replay('chocolatey-choco-0.1.7', [{ id: 'tool', version: '1.0.0', tags: ['Sample'] }, ...lowerAndUpper]);
replay('nuget-5.8', [delve('1.21.2'), delve('1.22.0'), ...lowerAndUpper]);
replay('derived/choco-2.x', derivedPackages);
replay('derived/choco-2.x-v3', derivedPackages);
replay('derived/choco-1.x', derivedPackages);
replay('derived/nuget-5.x', derivedPackages);
replay('derived/powershell', derivedPackages);

type ReplayOptions = {
  readonly settings?: HouseOptions;
  /** What is published before a command is given. */
  readonly from?: Readonly<Record<string, Package>>;
};

function replay(
  name: string,
  packages: readonly Package[],
  { settings, from = {} }: ReplayOptions = {},
): void {
  describe(`what ${name} sends`, () => {
    let world: World;
    beforeAll(async () => {
      world = { house: await startHouse(settings), published: new Map() };
      for (const one of packages) await publish(world, one);
    });
    afterAll(() => world.house.stop());

    for (const [index, recorded] of readRecording(name).entries()) {
      const { command, section } = recorded;
      const title = `${index + 1}. ${command}${section === undefined ? '' : ` (section ${section})`}`;
      it(title, async () => {
        const before = from[command];
        if (before !== undefined) await publish(world, before);

        const answers = [];
        for (const request of recorded.requests) {
          for (let time = 0; time < (request.times ?? 1); time++)
            answers.push(await ask(world, recorded, request));
        }

        expect(answers).toEqual(
          recorded.requests.flatMap((request) => Array(request.times ?? 1).fill(meaningOf(request))),
        );
      });
    }
  });
}

async function publish({ house, published }: World, { unlisted, ...parts }: Package): Promise<void> {
  const nupkg = nupkgOf(parts);
  const answer = await pushNupkg(house, nupkg, house.adminKey);
  if (answer.status !== 201) throw new Error(`${parts.id}: ${answer.status} ${answer.statusText}`);
  published.set(`${parts.id} ${parts.version}`, nupkg);
  if (unlisted) {
    const headers = { 'X-NuGet-ApiKey': house.adminKey };
    await fetch(`${house.url}/nuget/${parts.id}/${parts.version}`, { method: 'DELETE', headers });
  }
}

/** What the client must learn from the answer. */
type Meaning = {
  readonly line: string;
  readonly answered: number;
  readonly gives?: readonly string[] | undefined;
  readonly total?: number | undefined;
  readonly counts?: number | undefined;
  readonly downloads?: string | undefined;
};

function meaningOf({ line, answered, gives, total, counts, downloads }: RecordedRequest): Meaning {
  return { line, answered, gives, total, counts, downloads };
}

async function ask(world: World, { command }: RecordedCommand, request: RecordedRequest): Promise<Meaning> {
  const { line } = request;
  const { headers, body } = fillIn(world.house, command, request);
  const answer = await sendRaw(world.house.url, line, headers, body);
  if (line.startsWith('GET')) {
    expect(
      answer.headers.get('transfer-encoding'),
      `${line}: no chunks, which HTTP/1.0 does not know`,
    ).toBeUndefined();
    expect(answer.headers.get('content-length'), line).toBe(String(answer.bodyBytes));
  }
  return {
    ...meaningOf({ line, headers: {}, answered: answer.status }),
    ...(await read(world, request, answer)),
  };
}

async function read(world: World, asked: RecordedRequest, { body }: RawAnswer): Promise<Partial<Meaning>> {
  if (asked.counts !== undefined) return { counts: Number(body.toString()) };
  if (asked.downloads !== undefined)
    return { downloads: [...world.published].find(([, bytes]) => bytes.equals(body))?.[0] };
  if (asked.gives !== undefined) {
    return / \/v3\//.test(asked.line) ? readV3(body.toString(), asked) : readFeed(body.toString());
  }
  return {};
}

async function readFeed(xml: string): Promise<Pick<Meaning, 'gives' | 'total'>> {
  const { feed, entry } = await parseStringPromise(xml);
  const count: string | undefined = feed?.['m:count']?.[0];
  const entries: Record<string, Record<string, string[]>[]>[] = entry ? [entry] : (feed.entry ?? []);
  const gives = entries.map((one) => {
    const properties = one['m:properties']?.[0];
    return `${properties?.['d:Id']?.[0]} ${properties?.['d:Version']?.[0]}`;
  });
  return { gives, total: count === undefined ? undefined : Number(count) };
}

type NamedVersion = { readonly id: string; readonly version: string };
type V3Document = {
  /** Of a search. */
  readonly data?: readonly NamedVersion[];
  readonly totalHits?: number;
  /** The pages of a registration. */
  readonly items?: readonly { readonly items: readonly { readonly catalogEntry: NamedVersion }[] }[];
};

/** A search always tells the total; only some commands depend on it. */
function readV3(json: string, asked: RecordedRequest): Pick<Meaning, 'gives' | 'total'> {
  const { data, totalHits, items = [] }: V3Document = JSON.parse(json);
  const found = data ?? items.flatMap((page) => page.items.map(({ catalogEntry }) => catalogEntry));
  const total = asked.total === undefined ? undefined : totalHits;
  return { gives: found.map(({ id, version }) => `${id} ${version}`), total };
}

const boundary = 'boundary-of-the-replay';

/** Puts host, key and package into the places that the recording left open. */
function fillIn(
  house: TestHouse,
  command: string,
  { headers, firstPart }: RecordedRequest,
): { headers: Record<string, string>; body: Buffer } {
  const body = firstPart === undefined ? Buffer.alloc(0) : multipart(firstPart, pushed(command));
  const isChunked = headers['Transfer-Encoding'] === 'chunked';
  const known: Readonly<Record<string, string>> = {
    Host: new URL(house.url).host,
    Authorization: `Basic ${Buffer.from(`someone:${house.adminKey}`).toString('base64')}`,
    'X-NuGet-ApiKey': house.adminKey,
    'Content-Type': `multipart/form-data; boundary="${boundary}"`,
    'Content-Length': String(body.length),
  };
  return {
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, known[name] ?? value])),
    body: isChunked ? chunked(body) : body,
  };
}

function pushed(command: string): Buffer {
  const [, id = '', version = ''] = /push (\w+?)\.(\d.*)\.nupkg/.exec(command) ?? [];
  return nupkgOf({ id, version });
}

function nupkgOf(parts: Package): Buffer {
  const { id, version } = parts;
  const rest = {
    authors: 'Somebody',
    description: 'A package.',
    tags: [],
    requireLicenseAcceptance: false,
    developmentDependency: false,
    dependencies: [],
  };
  return makeNupkg({ id, version, nuspec: writeNuspec({ ...rest, ...parts }) });
}

function multipart(firstPart: string, content: Buffer): Buffer {
  const head = `${firstPart.replace('--...', `--${boundary}`)}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), content, Buffer.from(`\r\n--${boundary}--\r\n`)]);
}

function chunked(body: Buffer): Buffer {
  const middle = body.length >> 1;
  const chunk = (piece: Buffer) =>
    Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]);
  return Buffer.concat([
    chunk(body.subarray(0, middle)),
    chunk(body.subarray(middle)),
    Buffer.from('0\r\n\r\n'),
  ]);
}
