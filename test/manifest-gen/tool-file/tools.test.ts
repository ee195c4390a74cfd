import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readNuspec } from '../../../formats/nuspec.ts';
import { readTools, sourceOf } from '../../../manifest-gen/tool-file/tools.ts';
import { requiredEvidence } from '../../../manifest-gen/tool-file/trust.ts';
import { applyTrustFile } from '../../../manifest-gen/tool-file/trust-file.ts';
import { ruleFor } from '../../../manifest-gen/tool-file/version-rules.ts';
import { loadTools } from '../../kit/load-tools.ts';
import { failureOf } from '../../kit/upstream-fixture.ts';

const productDir = process.cwd();
const ownTools = join(productDir, 'manifest-gen', 'tools');
const tool = `tool: hello
command: hello
first: 1.0.0
sources:
  - kind: npm
    packages: {amd64: hello-x64}
    member: package/hello.exe
module: [{path: example.test/hello}]
trust:
  require: {npm: [digest, pe]}
  minisign: {keys: [RWQ/i9xseZwBVE7pEniCNjlNOeeyp4BQgdZDLQcAohxEAH5Uj5DEKjv6]}
`;

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tools-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function loadWith(change: (text: string) => string, name = 'hello.yaml') {
  await writeFile(join(dir, name), change(tool));
  return loadTools(dir);
}

describe("the product's own tools", () => {
  it('are delve, goreleaser and buf, with what start releases first', async () => {
    const tools = await loadTools(ownTools);
    expect(tools.map(({ tool, command, first }) => [tool, command, first])).toEqual([
      ['buf', 'buf', '1.32.0'],
      ['delve', 'dlv', '1.22.0'],
      ['goreleaser', 'goreleaser', '1.20.0'],
    ]);
  });

  it('can each be downloaded from a forge and be built', async () => {
    for (const tool of await loadTools(ownTools)) {
      const { first = 'none' } = tool;
      expect(sourceOf(tool, 'github')).toBeDefined();
      expect(sourceOf(tool, 'go-module')).toBeDefined();
      expect(requiredEvidence(tool, 'go-module', first)).toContain('sumdb');
      expect(requiredEvidence(tool, 'github', first)).toContain('checksum');
    }
  });

  it.each([
    ['1.19.1', undefined],
    ['1.22.0', 'exp.winarm64'],
    ['1.25.2', 'exp.winarm64'],
    ['1.26.3', undefined],
    ['1.27.0', 'exp.winarm64'],
  ])('build delve %s for arm64 with the tags %s (spec upstream 5)', async (version, tags) => {
    const delve = (await loadTools(ownTools)).find(({ tool }) => tool === 'delve')!;
    const rules = sourceOf(delve, 'go-module')!.tags.filter(({ architecture }) => architecture === 'arm64');
    expect(ruleFor(rules, version)?.tags).toBe(tags);
  });

  it.each([
    ['1.20.0', 'github.com/goreleaser/goreleaser'],
    ['2.0.0', 'github.com/goreleaser/goreleaser/v2'],
    ['3.0.0', undefined],
  ])('build goreleaser %s from the module %s', async (version, module) => {
    const goreleaser = (await loadTools(ownTools)).find(({ tool }) => tool === 'goreleaser')!;
    expect(ruleFor(sourceOf(goreleaser, 'go-module')!.modules, version)?.module).toBe(module);
  });

  it("have metadata within Chocolatey's limits, and a licence text", async () => {
    for (const { tool } of await loadTools(ownTools)) {
      const text = await readFile(join(productDir, 'nuspecs', tool, `${tool}.nuspec`), 'utf8');
      const nuspec = await readNuspec(text.replaceAll('{version}', '1.2.3'));
      expect(nuspec.id).toBe(tool);
      // CCR: title up to 256, description 30 to 4000 characters, tags without commas (spec nuget-v2 10.3)
      expect(nuspec.title!.length).toBeLessThanOrEqual(256);
      expect(nuspec.summary!.length).toBeGreaterThan(10);
      expect(nuspec.description!.length).toBeGreaterThan(30);
      expect(nuspec.description!.length).toBeLessThanOrEqual(4000);
      expect(nuspec.tags.join(' ')).toMatch(/^[a-z0-9 -]+$/);
      expect(nuspec.licenseUrl).toContain('v1.2.3');
      expect(await readFile(join(productDir, 'nuspecs', tool, 'LICENSE.txt'), 'utf8')).toMatch(
        /MIT|Apache License/,
      );
    }
  });
});

describe('a tool file', () => {
  it.each<[string, (text: string) => string, string]>([
    ['an unknown key', (text) => `${text}comand: x\n`, 'comand'],
    [
      'brackets without end',
      (text) => `${text}package: ${'['.repeat(50_000)}`,
      'line 12: it nests deeper than 64',
    ],
    [
      'lists without end',
      (text) => `${text}package:\n${'- '.repeat(50_000)}x`,
      'line 13: it nests deeper than 64',
    ],
    ['a broken line', (text) => `${text}  - [\n`, 'line'],
    ['a version with two parts', (text) => text.replace('first: 1.0.0', 'first: 1.0'), 'first'],
    ['a range that is none', (text) => `${text}versions: 'newer than 2'\n`, 'semver range'],
    ['a path out of the archive', (text) => text.replace('package/hello.exe', '../hello.exe'), 'member'],
    ['an age of more digits than any', (text) => `${text}minAge: 10000000h\n`, 'minAge'],
    ['an id that no feed takes', (text) => `${text}packageId: bank..hello\n`, 'packageId'],
    ['a name that is a path', (text) => text.replace('tool: hello', 'tool: ../hello'), 'tool'],
    ['no list of evidence for a source', (text) => text.replace('npm: [digest, pe]', 'github: [pe]'), 'npm'],
    ['evidence of a kind that is unknown', (text) => text.replace('digest', 'promise'), 'require'],
    ['the name of another tool', (text) => text.replace('tool: hello', 'tool: other'), 'other'],
  ])('with %s is refused, exit code 2, saying where', async (_, change, where) => {
    const failure = await failureOf(loadWith(change));
    expect(failure).toMatchObject({
      code: 'TOOL_FILE_INVALID',
      exitCode: 2,
      message: expect.stringContaining(where),
    });
  });

  it.each([
    ['1.0.0', ['digest']],
    ['2.4.1', ['digest', 'pe']],
    ['3.0.0', ['digest', 'pe', 'provenance']],
  ])('may require other evidence for some versions: for %s %j', async (version, evidence) => {
    const [hello] = await loadWith((text) =>
      text.replace(
        '[digest, pe]',
        `[{versions: '>=3.0.0', evidence: [digest, pe, provenance]}, {versions: '>=2.0.0', evidence: [digest, pe]}, {evidence: [digest]}]`,
      ),
    );
    expect(requiredEvidence(hello!, 'npm', version)).toEqual(evidence);
  });

  it.each([
    ['{versions: ">=3.0.0", evidence: [digest]}', 'all other versions'],
    ['{versions: "newest", evidence: [digest]}, {evidence: []}', 'semver range'],
    ['{evidence: [promise]}', 'require'],
  ])('whose requirements are [%s] is refused', async (rules, where) => {
    const failure = await failureOf(loadWith((text) => text.replace('[digest, pe]', `[${rules}]`)));
    expect(failure).toMatchObject({ code: 'TOOL_FILE_INVALID', message: expect.stringContaining(where) });
  });

  it('reports all its problems at once', async () => {
    const failure = await failureOf(
      loadWith((text) => text.replace('1.0.0', '1').replace('command: hello\n', '')),
    );
    expect(failure.message).toMatch(/command[\s\S]*first|first[\s\S]*command/);
  });

  it.each<[string, (text: string) => string, string]>([
    [
      'a field that is missing',
      (text) => text.replace('command: hello\n', ''),
      'line 1: command is missing: expected a text',
    ],
    [
      'a number for a text',
      (text) => text.replace('first: 1.0.0', 'first: 1.0'),
      'line 3: first "1.0" is a number (in quotes it is text): expected a text',
    ],
    [
      'an unknown field',
      (text) => text.replace('command', 'comand'),
      'line 2: comand is not a field of a tool file',
    ],
    [
      'a field missing in a list',
      (text) => text.replace('    member: package/hello.exe\n', ''),
      'line 5: sources.0.member is missing: expected a text',
    ],
    [
      'evidence of no kind',
      (text) => text.replace('[digest, pe]', '[digest, pee]'),
      'line 10: trust.require.npm.1 "pee" is none of checksum, digest,',
    ],
    [
      'a source of no kind',
      (text) => text.replace('kind: npm', 'kind: nmp'),
      'line 5: sources.0.kind "nmp" is of an unknown kind',
    ],
    [
      'a group for a list',
      (text) => text.replace('module: [{path: example.test/hello}]', 'module: {path: example.test/hello}'),
      'line 8: module is a group of fields: expected a list',
    ],
    ['a broken line', (text) => text.replace('[digest, pe]', '[digest, pe'), 'line 1'],
  ])('names line, field, what was expected and what was found: %s', async (_, change, sentence) => {
    const failure = await failureOf(loadWith(change));

    expect(failure.message).toContain(`${join(dir, 'hello.yaml')} is not a valid tool file: `);
    expect(failure.message).toContain(sentence);
  });

  it('reports every invalid file, and still reads the other tools', async () => {
    await writeFile(join(dir, 'good.yaml'), tool.replace('tool: hello', 'tool: good'));
    await writeFile(join(dir, 'bad.yaml'), 'tool: bad\n');
    await loadWith((text) => text.replace('1.0.0', 'one')).catch(() => undefined);

    const failure = await failureOf(loadTools(dir));
    expect(failure).toMatchObject({ code: 'TOOL_FILES_INVALID', exitCode: 2 });
    expect(failure.message).toMatch(/bad\.yaml is not .*\n.*hello\.yaml is not /);

    const all = await readTools(dir);
    expect(all.tools.map(({ tool }) => tool)).toEqual(['good']);
    expect(all.broken.map(({ tool }) => tool)).toEqual(['bad', 'hello']);
    expect(await readTools(dir, ['good'])).toMatchObject({ tools: [{ tool: 'good' }], broken: [] });
  });

  it('is reported as missing when the folder has none or does not exist', async () => {
    expect(await failureOf(loadTools(dir))).toMatchObject({ code: 'TOOL_FILE_INVALID' });
    expect(await failureOf(loadTools(join(dir, 'none')))).toMatchObject({ code: 'TOOL_FILE_INVALID' });
    await mkdir(join(dir, 'folder.yaml'));
    expect(await failureOf(loadTools(dir))).toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('cannot be read'),
    });
  });
});

describe('a trusted root', () => {
  it('that a tool names is relative to the folder of its file', async () => {
    const signed = '  sigstore: {identity: "https://x/{tag}", issuer: "https://i", trustedRoot: root.json}\n';
    const [hello] = await loadWith((text) => text + signed);
    expect(hello!.trust.sigstore!.trustedRoot).toBe(join(dir, 'root.json'));
  });
});

describe('TRUST_FILE', () => {
  const trust = async (text: string) => {
    const tools = await loadWith((text) => text);
    await writeFile(join(dir, 'trust'), text);
    return applyTrustFile(tools, join(dir, 'trust'));
  };

  it('replaces the whole trust of a tool, for every source', async () => {
    const [hello] = await trust('hello: {require: [checksum, pe]}\n');
    expect(hello!.trust).toEqual({ require: ['checksum', 'pe'] });
    expect(requiredEvidence(hello!, 'npm', '1.0.0')).toEqual(['checksum', 'pe']);
    expect(requiredEvidence(hello!, 'github', '1.0.0')).toEqual(['checksum', 'pe']);
  });

  it('reads keys and identities, and a trusted root relative to the file', async () => {
    const newKey = 'RWT87zIdBBHCCnl/Kt0Qq1gLrkqRTFi1U8SGRcG18Nt94w7bUpFBCZJ/';
    const [hello] = await trust(
      `hello: {minisign: {keys: [${newKey}]}, sigstore: {identity: "https://x/{tag}", issuer: "https://i", trustedRoot: root.json}, require: []}\n`,
    );
    expect(hello!.trust.minisign).toEqual({ keys: [newKey] });
    expect(hello!.trust.sigstore!.trustedRoot).toBe(join(dir, 'root.json'));
  });

  it.each([
    ['names a tool that is not there', 'helo: {require: []}', 'helo'],
    ['says nothing of what is required', 'hello: {authenticode: {publisher: x, roots: y}}', 'require'],
    [
      'has a key that is none',
      'hello: {minisign: {keys: [RW]}, require: []}',
      'line 1: hello.minisign.keys.0 "RW" is not a public key',
    ],
    ['knows a kind of evidence that we do not', 'hello: {require: [hope]}', 'require'],
    ['is no YAML', 'hello: {', 'YAML'],
  ])('is refused when it %s', async (_, text, where) => {
    const failure = await failureOf(trust(text));
    expect(failure).toMatchObject({ code: 'TOOL_FILE_INVALID', exitCode: 2 });
    if (where !== 'YAML') expect(failure.message).toContain(where);
  });

  it('is reported as missing when it does not exist', async () => {
    const tools = await loadWith((text) => text);
    expect(await failureOf(applyTrustFile(tools, join(dir, 'none')))).toMatchObject({
      code: 'TOOL_FILE_INVALID',
    });
  });
});
