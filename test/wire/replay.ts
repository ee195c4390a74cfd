import { randomBytes } from 'node:crypto';
import { SaxesParser } from 'saxes';
import { type Nuspec, writeNuspec } from '../../formats/nuspec.ts';
import { operator } from '../../server/audit/audit.ts';
import { type TestServerOptions, makeKey, pushNupkg, startTestServer, type TestServer } from '../kit/test-server.ts';
import { makePackage } from '../kit/new-package.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { type RawAnswer, sendRaw } from './raw-http.ts';
import type { RecordedCommand, RecordedRequest } from './recording.ts';

export type Package = Partial<Nuspec> & {
  readonly id: string;
  readonly version: string;
  readonly unlisted?: boolean;
};

export type FixtureOptions = {
  readonly packages: readonly Package[];
  /** What is only looked for, and never downloaded: rows without bytes, which are made in no time. */
  readonly rows?: readonly Package[];
  readonly settings?: TestServerOptions;
  /** What is published before a command is given. */
  readonly from?: Readonly<Record<string, readonly Package[]>>;
  /** The keys of commands that are given with one of little power, by what they say of it. */
  readonly keys?: Readonly<
    Record<string, { readonly scopes: readonly string[]; readonly ids?: readonly string[] }>
  >;
};

/** A server, and the bytes that were published on it, by `id version`. */
export type Fixture = FixtureOptions & {
  readonly server: TestServer;
  readonly published: Map<string, Buffer>;
  readonly readKey: string;
  readonly lesserKeys: ReadonlyMap<string, string>;
};

/** What a client learns from an answer: the fields of a recorded request. */
export type Meaning = Pick<
  RecordedRequest,
  'line' | 'answered' | 'gives' | 'entries' | 'total' | 'counts' | 'downloads'
>;

export async function openFixture(options: FixtureOptions): Promise<Fixture> {
  const server = await startTestServer(options.settings);
  const lesserKeys = new Map<string, string>();
  for (const [name, { scopes, ids }] of Object.entries(options.keys ?? {}))
    lesserKeys.set(name, await makeKey(server, scopes, ids));
  const readKey = await makeKey(server, ['read']);
  const fixture = { ...options, server, published: new Map(), readKey, lesserKeys };
  for (const one of options.packages) await publish(fixture, one);
  for (const { unlisted: _, ...parts } of options.rows ?? [])
    await server.services.catalog.add(makePackage(parts), operator);
  return fixture;
}

/** Gives the command: what came of each of its requests, in order. */
export async function give(fixture: Fixture, { command, requests }: RecordedCommand): Promise<Meaning[]> {
  for (const one of fixture.from?.[command] ?? []) await publish(fixture, one);
  const answers: Meaning[] = [];
  for (const request of requests) {
    for (let time = 0; time < (request.times ?? 1); time++) {
      const { line } = request;
      const { headers, body } = fillIn(fixture, command, request);
      const answer = await sendRaw(fixture.server.url, line, headers, body);
      if (line.startsWith('GET')) requireWhole(line, answer);
      answers.push({ line, answered: answer.status, ...meaningOf(fixture, line, answer) });
    }
  }
  return answers;
}

/** HTTP/1.0 knows no chunks. */
function requireWhole(line: string, { headers, bodyBytes }: RawAnswer): void {
  if (headers.has('transfer-encoding') || headers.get('content-length') !== String(bodyBytes)) {
    throw new Error(`${line}: ${bodyBytes} bytes came, announced as ${headers.get('content-length')}`);
  }
}

async function publish({ server, published }: Fixture, { unlisted, ...parts }: Package): Promise<void> {
  const nupkg = nupkgOf(parts);
  const answer = await pushNupkg(server, nupkg, server.adminKey);
  if (answer.status !== 201) throw new Error(`${parts.id}: ${answer.status} ${answer.statusText}`);
  published.set(`${parts.id} ${parts.version}`, nupkg);
  if (unlisted) {
    const headers = { 'X-NuGet-ApiKey': server.adminKey };
    await fetch(`${server.url}/nuget/${parts.id}/${parts.version}`, { method: 'DELETE', headers });
  }
}

function meaningOf(fixture: Fixture, line: string, { status, headers, body }: RawAnswer): Partial<Meaning> {
  if (status !== 200 || !line.startsWith('GET')) return {};
  const type = headers.get('content-type') ?? '';
  if (/zip|octet-stream/.test(type)) {
    return {
      downloads: [...fixture.published].find(([, bytes]) => bytes.equals(body))?.[0] ?? 'nothing known',
    };
  }
  if (type.startsWith('text/plain')) return { counts: Number(body.toString()) };
  if (type.startsWith('application/atom+xml')) return readFeed(body.toString());
  return type.startsWith('application/json') ? readJson(body.toString()) : {};
}

/** Of a feed, or of an entry alone. A tree of each answer would take longer than the answers do. */
function readFeed(xml: string): Partial<Meaning> {
  const names: string[] = [];
  let count: string | undefined;
  let properties: Record<string, string> = {};
  let text = '';
  const open: string[] = [];
  const parser = new SaxesParser();
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('text', (piece) => {
    text += piece;
  });
  parser.on('opentag', ({ name }) => {
    open.push(name);
    text = '';
    if (name === 'entry') properties = {};
  });
  parser.on('closetag', ({ name }) => {
    open.pop();
    const parent = open.at(-1);
    if (parent === 'feed' && name === 'm:count') count = text;
    if (parent === 'm:properties') properties[name] = text;
    if (name === 'entry') names.push(`${properties['d:Id']} ${properties['d:Version']}`);
  });
  parser.write(xml).close();
  return { ...named(names), ...(count !== undefined && { total: Number(count) }) };
}

type NamedVersion = { readonly id: string; readonly version: string };
type RegistrationItem = {
  readonly items?: readonly RegistrationItem[];
  readonly catalogEntry?: NamedVersion;
  readonly lower?: string;
  readonly upper?: string;
};
type V3Document = {
  /** Of a search; of a completion, texts. */
  readonly data?: readonly (NamedVersion | string)[];
  readonly totalHits?: number;
  /** The pages of a registration, with their leaves or without; of a page, its leaves. */
  readonly items?: readonly RegistrationItem[];
  /** Of a flat container. */
  readonly versions?: readonly string[];
};

function readJson(json: string): Partial<Meaning> {
  const document = JSON.parse(json) as V3Document | readonly string[];
  if (Array.isArray(document)) return named(document);
  const { data, totalHits, items, versions } = document as V3Document;
  const found = data ?? items?.flatMap(namesIn) ?? versions;
  if (found === undefined) return {};
  const names = found.map((one) => (typeof one === 'string' ? one : `${one.id} ${one.version}`));
  return { ...named(names), ...(totalHits !== undefined && { total: totalHits }) };
}

function namesIn({
  items,
  catalogEntry,
  lower,
  upper,
}: RegistrationItem): readonly (NamedVersion | string)[] {
  return items?.flatMap(namesIn) ?? [catalogEntry ?? `from ${lower} to ${upper}`];
}

function named(names: readonly string[]): Pick<Meaning, 'gives' | 'entries'> {
  return { gives: names, entries: names.length };
}

const boundary = 'boundary-of-the-replay';

/** Puts host, keys and package into the places that the recording left open. */
function fillIn(
  fixture: Fixture,
  command: string,
  request: RecordedRequest,
): { headers: Record<string, string>; body: Buffer } {
  const { server } = fixture;
  const { headers, firstPart } = request;
  const body =
    firstPart === undefined ? Buffer.alloc(0) : multipart(firstPart, pushed(fixture, command, request));
  const isChunked = headers['Transfer-Encoding'] === 'chunked';
  // The recordings do not say which password it was.
  const password = request.answered === 401 ? 'wrong' : fixture.readKey;
  const lesser = [...fixture.lesserKeys].find(([name]) => command.includes(`(${name})`))?.[1];
  const known: Readonly<Record<string, string>> = {
    'Host: FEED': new URL(server.url).host,
    'Authorization: Basic ...': `Basic ${btoa(`someone:${password}`)}`,
    'Authorization: Basic CREDENTIALS': `Basic ${btoa(`someone:${password}`)}`,
    'X-NuGet-ApiKey: KEY': lesser ?? server.adminKey,
  };
  const filled = Object.entries(headers).map(([name, value]) => [name, known[`${name}: ${value}`] ?? value]);
  return {
    headers: {
      ...Object.fromEntries(filled),
      ...(firstPart !== undefined && { 'Content-Type': `multipart/form-data; boundary="${boundary}"` }),
      ...(headers['Content-Length'] !== undefined && { 'Content-Length': String(body.length) }),
    },
    body: isChunked ? chunked(body) : body,
  };
}

/** The package that the command names, or else one that gets the recorded answer. */
function pushed({ published }: Fixture, command: string, { answered }: RecordedRequest): Buffer {
  if (answered === 400) return Buffer.from('This is no package.');
  if (answered === 413) return makeNupkg({ files: { 'tools/large': randomBytes(3_000_000) } });
  const [, id, version] = /push ([\w.]+?)\.(\d[\w.-]*)\.nupkg/.exec(command) ?? [];
  const last = [...published.values()].at(-1);
  if (id === undefined && answered === 409 && last !== undefined) return last;
  const parts = { id: id ?? `pushed.${published.size}`, version: version ?? '1.0.0' };
  const nupkg = nupkgOf(parts);
  if (answered === 201) published.set(`${parts.id} ${parts.version}`, nupkg);
  return nupkg;
}

function nupkgOf(parts: Package): Buffer {
  const { id, version } = parts;
  const rest = {
    authors: 'Somebody',
    description: `About ${id}.`,
    tags: [],
    requireLicenseAcceptance: false,
    developmentDependency: false,
    dependencies: [],
  };
  return makeNupkg({ id, version, nuspec: writeNuspec({ ...rest, ...parts }) });
}

function multipart(firstPart: string, content: Buffer): Buffer {
  const head = `${firstPart.replace(/^--(\.\.\.|GUID)/, `--${boundary}`)}\r\n\r\n`;
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
