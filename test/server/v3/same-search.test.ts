import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeNupkg } from '../../kit/nupkg.ts';
import { pushNupkg, startTestServer, type TestServer } from '../../kit/test-server.ts';
import { readRecording } from '../../wire/recording.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  for (const [id, version, metadata] of [
    [
      'Mod.One',
      '1.0.0',
      { tags: 'ModTag PSModule PSCommand_Get-One PSIncludes_Function', owners: 'Web team' },
    ],
    [
      'Mod.Two',
      '1.0.0',
      { tags: 'ModTag PSModule PSCommand_Get-OneMore PSCommand_Get-Two', authors: 'Ada, Bob' },
    ],
    [
      'delve',
      '1.22.0',
      { title: 'Go debugger', tags: 'go debugger', summary: 'ModTag in words', owners: 'bob' },
    ],
    ['delve.extra', '2.0.0', { title: 'The debugger of Go', tags: 'cmdtag', description: 'For delve.' }],
    ['cpptool', '1.0.0', { tags: 'c++', title: 'c++' }],
    ['Owned', '1.0.0-beta.1', { authors: 'Bob', owners: 'Ada Web' }],
  ] as const) {
    const answer = await pushNupkg(server, makeNupkg({ id, version, metadata }), server.adminKey);
    if (answer.status !== 201) throw new Error(`${id}: ${answer.status} ${answer.statusText}`);
  }
});
afterAll(() => server.stop());

async function overV2(text: string, isPrerelease = false): Promise<string[]> {
  const flag = isPrerelease ? 'IsAbsoluteLatestVersion' : 'IsLatestVersion';
  const term = encodeURIComponent(text.replaceAll("'", "''"));
  const answer = await fetch(
    `${server.url}/nuget/Search()?$filter=${flag}&searchTerm='${term}'&includePrerelease=${isPrerelease}&semVerLevel=2.0.0`,
  );
  return [...(await answer.text()).matchAll(/<d:Id>(.*?)<\/d:Id>/g)].map(([, id = '']) => id);
}

async function overV3(text: string, isPrerelease = false): Promise<string[]> {
  const answer = await fetch(
    `${server.url}/v3/search?q=${encodeURIComponent(text)}&prerelease=${isPrerelease}&semVerLevel=2.0.0`,
  );
  const { data } = (await answer.json()) as { data: { id: string }[] };
  return data.map(({ id }) => id);
}

describe('a search', () => {
  it.each([
    ['tag:PSCommand_Get-One', ['Mod.One']],
    ['tag:pscommand_get-one', ['Mod.One']],
    ['tags:ModTag', ['Mod.One', 'Mod.Two']],
    ['tag:"ModTag"', ['Mod.One', 'Mod.Two']],
    [' tag:Mod', []],
    ['tag:PSCommand_Get-One tag:PSCommand_Get-Two', ['Mod.One', 'Mod.Two']],
    ['tag:"PSModule PSCommand_Get-Two"', ['Mod.Two']],
    ['two tag:ModTag', ['Mod.Two']],
    ['modtag', ['delve', 'Mod.One', 'Mod.Two']],
    ['packageid:DELVE', ['delve']],
    ['id:delve', ['delve', 'delve.extra']],
    ['packageid:delve packageid:mod.one', ['delve', 'Mod.One']],
    ['title:"Go debugger"', ['delve']],
    ['version:1.22', ['delve']],
    ['author:bob', ['Mod.Two']],
    ['owner:web', ['Mod.One']],
    ['owners:"web team" owners:bob', ['delve', 'Mod.One']],
    ['description:"for delve"', ['delve.extra']],
    ['"debugger of"', ['delve.extra']],
    ["o'brien", []],
  ] as const)('for %s finds %j over v2 and v3', async (text, ids) => {
    expect(await overV2(text)).toEqual(ids);
    expect(await overV3(text)).toEqual(ids);
  });

  it('finds the same over v2 and v3, whatever the text', async () => {
    const field = fc.constantFrom(
      'tag',
      'tags',
      'id',
      'packageid',
      'title',
      'version',
      'author',
      'owner',
      'Owners',
      'x',
    );
    const value = fc.constantFrom(
      'go',
      'ModTag',
      'delve',
      'ada',
      'bob',
      'web',
      '1.0.0',
      "'",
      '%',
      '+',
      'debugger',
    );
    const quoted = fc.tuple(value, value).map(([a, b]) => `"${a} ${b}"`);
    const part = fc.oneof(
      value,
      quoted,
      fc.tuple(field, fc.oneof(value, quoted)).map(([name, text]) => `${name}:${text}`),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 4 }), fc.boolean(), async (parts, isPrerelease) => {
        const text = parts.join(' ');
        expect(await overV3(text, isPrerelease)).toEqual(await overV2(text, isPrerelease));
      }),
      { numRuns: 150 },
    );
  });

  it.each(
    readRecording('choco-2.7.3')
      // No id has a plus sign.
      .filter(({ command }) => command.includes('c++') && !command.includes('--by-id-only'))
      .flatMap(({ command, requests }) => requests.slice(-1).map((request) => [command, request] as const)),
  )('for c++ as %s sends it finds the package, and from a browser it does not', async (_command, request) => {
    const ask = async (userAgent: string) => {
      const answer = await fetch(`${server.url}${request.line.split(' ')[1]}`, {
        headers: { 'User-Agent': userAgent },
      });
      return (await answer.text()).includes('cpp');
    };

    // Each twice: what is kept for one is not for the other.
    for (let time = 0; time < 2; time++) {
      expect(await ask(request.headers['User-Agent'] ?? '')).toBe(true);
      const isEncoded = !request.line.includes('c++');
      expect(await ask('Mozilla/5.0 (X11; Linux x86_64)')).toBe(isEncoded);
    }
  });

  it.each(
    readRecording('psresourceget')
      .flatMap(({ command, requests }) => requests.map(({ line }) => [command, line] as const))
      .filter(([, line]) => line.includes('tag:')),
  )('with a tag as %s sends it finds the module', async (_command, line) => {
    const answer = await fetch(`${server.url}${line.split(' ')[1]}`);

    const found = [...(await answer.text()).matchAll(/<d:Tags>(.*?)<\/d:Tags>/g)].map(([, tags]) => tags);
    const [, tag = ''] = /tag:([\w-]+)/.exec(line) ?? [];
    expect(found.length).toBeGreaterThan(0);
    for (const tags of found) expect(tags?.toLowerCase().split(' ')).toContain(tag.toLowerCase());
  });
});
