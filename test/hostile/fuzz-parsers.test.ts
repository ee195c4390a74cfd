import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, it } from 'vitest';
import { FormatError } from '../../formats/format-error.ts';
import { parseNuGetRange, printNuGetRange } from '../../formats/nuget-range.ts';
import { parseNuGetVersion, printNormalizedVersion, versionSortKey } from '../../formats/nuget-version.ts';
import { openNupkg, verifyContent } from '../../formats/nupkg.ts';
import { dependenciesText, readNuspec } from '../../formats/nuspec.ts';
import { readXml } from '../../formats/xml.ts';
import { findNameProblem, nameKey } from '../../formats/zip-name.ts';
import { readGitAddress } from '../../server/bucket/address.ts';
import { readCgiHead } from '../../server/bucket/cgi-head.ts';
import { readManifestFile } from '../../server/bucket/manifest-file.ts';
import { parseCommit, parseTag, parseTree } from '../../server/bucket/objects.ts';
import { FeedError } from '../../server/errors.ts';
import { renderMarkdown } from '../../server/gallery/markdown.ts';
import { areaOf, subjectOf } from '../../server/http/areas.ts';
import { readCredentials } from '../../server/http/credentials.ts';
import { reasonPhrase } from '../../server/http/error-body.ts';
import { plainTarget } from '../../server/http/request-target.ts';
import { matchesGlob } from '../../server/keys/glob.ts';
import { redactUrl } from '../../server/log.ts';
import { parseFilter } from '../../server/odata/filter.ts';
import { readOptions } from '../../server/odata/options.ts';
import { parseParameters, replaceParameters } from '../../server/odata/parameters.ts';
import { parseResource } from '../../server/odata/resource.ts';
import { rawZip, zip64Extra } from '../formats/raw-zip.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { fuzz, type Target } from './fuzz.ts';

const scratch = mkdtempSync(join(tmpdir(), 'gwt-fuzz-'));
const packageFile = join(scratch, 'fuzzed.nupkg');
const text = (input: Buffer) => input.toString('utf8');

/** Every parser that outside bytes reach, and how many of the suite's inputs it gets. */
const targets: readonly Target[] = [
  { kind: 'filter', share: 0.12, take: (input) => parseFilter(text(input)) },
  {
    kind: 'query',
    share: 0.1,
    take(input) {
      replaceParameters(text(input), { $skip: 30 });
      readOptions(parseParameters(text(input)));
    },
  },
  { kind: 'path', share: 0.06, take: (input) => parseResource(text(input)) },
  { kind: 'target', share: 0.08, take: (input) => takeTarget(input.toString('latin1')) },
  { kind: 'version', share: 0.06, take: (input) => takeVersion(text(input)) },
  { kind: 'range', share: 0.06, take: (input) => takeRange(text(input)) },
  { kind: 'glob', share: 0.03, take: (input) => matchesGlob(...pairOf(text(input))) },
  { kind: 'xml', share: 0.06, take: (input) => readXml(input) },
  { kind: 'nuspec', share: 0.06, take: async (input) => dependenciesText(await readNuspec(input)) },
  { kind: 'nupkg', share: 0.04, seeds: packages(), take: takePackage },
  {
    kind: 'zip-name',
    share: 0.04,
    take: (input) => [findNameProblem(text(input)), nameKey(text(input))],
  },
  { kind: 'manifest', share: 0.05, take: (input) => readManifestFile(input) },
  { kind: 'markdown', share: 0.02, take: (input) => renderMarkdown(text(input)) },
  { kind: 'header', share: 0.04, take: (input) => takeHeader(input.toString('latin1')) },
  { kind: 'cgi-head', share: 0.02, take: (input) => readCgiHead(input) },
  { kind: 'git-object', share: 0.03, take: takeGitObject },
];

describe('every parser, with nearly valid input', () => {
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  it.each(targets)('reads or refuses it: $kind', { timeout: 600_000 }, async (target) => {
    await fuzz({ ...target, take: (input) => refusing(() => target.take(input)) });
  });
});

/** A refusal is one of our errors that blames the input; git's own output may be blamed on git. */
async function refusing(read: () => unknown): Promise<void> {
  try {
    await read();
  } catch (error) {
    if (error instanceof FormatError) return;
    if (error instanceof FeedError && (error.status < 500 || error.code === 'GIT_FAILED')) return;
    throw error;
  }
}

function takeTarget(sent: string): void {
  const target = plainTarget(sent);
  const [path = ''] = target.split('?');
  redactUrl(target);
  subjectOf(path);
  areaOf(path);
  readGitAddress('GET', path, 'git-upload-pack', 'https://feed.example.org');
}

function takeVersion(sent: string): void {
  const version = parseNuGetVersion(sent);
  if (version === undefined) return;
  const again = parseNuGetVersion(printNormalizedVersion(version));
  if (again === undefined || versionSortKey(again) !== versionSortKey(version))
    throw new Error('another version');
}

function takeRange(sent: string): void {
  const range = parseNuGetRange(sent);
  if (
    range !== undefined &&
    parseNuGetRange(printNuGetRange(range)) === undefined &&
    printNuGetRange(range) !== '(,)'
  ) {
    throw new Error(`printed as ${printNuGetRange(range)}`);
  }
}

/** Whatever a header or a message holds, a reason phrase made of it is one that HTTP can carry. */
function takeHeader(value: string): void {
  readCredentials({ authorization: value, 'x-nuget-apikey': value });
  const phrase = reasonPhrase(value);
  if (!/^[\x20-\x7e\xa0-\xff]{0,512}$/.test(phrase)) throw new Error(`the phrase ${JSON.stringify(phrase)}`);
}

function takeGitObject(input: Buffer): void {
  parseCommit(input);
  parseTag(input);
  parseTree(input);
}

async function takePackage(input: Buffer): Promise<void> {
  writeFileSync(packageFile, input);
  const nupkg = await openNupkg(packageFile);
  try {
    await verifyContent(nupkg);
  } finally {
    await nupkg.close();
  }
}

function pairOf(line: string): [string, string] {
  const [glob = '', id = ''] = line.split('\t');
  return [glob, id];
}

/** Bytes of real packages, of two writers. */
function packages(): readonly Buffer[] {
  const nuspec = { name: 'a.nuspec', content: text(makeNuspecBytes()) };
  const tool = { name: 'tools/a.exe', content: 'MZ'.repeat(500) };
  const far = {
    ...tool,
    central: { packedBytes: 0xffffffff, bytes: 0xffffffff },
    extra: zip64Extra(1000n, 24n),
  };
  return [
    makeNupkg(),
    rawZip({ entries: [nuspec, tool, { name: 'tools/' }, { name: 'b', content: 'b', isStored: true }] }),
    rawZip({ entries: [nuspec, far], zip64: {} }),
    rawZip({ entries: [nuspec, { ...tool, flags: 0x808, local: { crc: 0, packedBytes: 0, bytes: 0 } }] }),
  ];
}

function makeNuspecBytes(): Buffer {
  return Buffer.from(
    '<package><metadata><id>a</id><version>1.0</version><authors>b</authors><description>c</description></metadata></package>',
  );
}
