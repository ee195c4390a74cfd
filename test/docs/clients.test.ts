import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { setupCommands } from '../../server/gallery/commands.ts';
import { productDir } from '../kit/test-server.ts';
import { anchorsOf } from './anchors.ts';

const dir = join(productDir, 'docs', 'clients');
const names = await readdir(dir);
const pages = new Map(
  await Promise.all(names.map(async (name) => [name, await readFile(join(dir, name), 'utf8')] as const)),
);

function textOf(name: string): string {
  const text = pages.get(name);
  if (text === undefined) throw new Error(`no page docs/clients/${name}`);
  return text;
}

describe('the pages for clients', () => {
  it('are all in their list', () => {
    const listed = [...textOf('README.md').matchAll(/\]\(([\w-]+\.md)\)/g)].map(([, path]) => path);

    expect(new Set(listed)).toEqual(new Set(names.filter((name) => name !== 'README.md')));
  });

  it.each([
    ['Chocolatey', 'chocolatey.md'],
    ['Scoop', 'scoop.md'],
    ['NuGet', 'nuget.md'],
    ['dotnet', 'nuget.md'],
    ['PowerShell', 'powershell.md'],
  ])("set up %s as the server's own page does", (client, name) => {
    const blocks = setupCommands('http://FEED').filter((block) => block.client === client);
    const lines = blocks.flatMap(({ commands }) => commands.flatMap((command) => command.lines));

    expect(lines).not.toEqual([]);
    for (const line of lines) expect(textOf(name)).toContain(line);
  });

  it.each(['chocolatey.md', 'scoop.md', 'nuget.md', 'powershell.md', 'visual-studio.md'])(
    'say what does not work and why, what was run, and what still needs Windows: %s',
    (name) => {
      expect(anchorsOf(textOf(name))).toEqual(
        expect.arrayContaining(['what-does-not-work-and-why', 'what-was-run']),
      );
      expect(textOf(name)).toMatch(/needs Windows|still to be seen/);
    },
  );

  it('list every parameter of install.ps1 and each of its exit codes', async () => {
    const begin = await readFile(join(productDir, 'server/install/script/begin.ps1'), 'utf8');
    const parameters = [...begin.matchAll(/^ {2}\[(?:string|switch)\] \$(\w+)/gm)].map(
      ([, name]) => `\`-${name}`,
    );
    const rows = (text: string): readonly (string | undefined)[] =>
      [...text.matchAll(/^\| (\d) \|/gm)].map(([, code]) => code);

    expect(parameters).toContain('`-NonInteractive');
    for (const parameter of parameters) expect(textOf('first-minute.md')).toContain(parameter);
    expect(rows(textOf('first-minute.md'))).toEqual(['0', '1', '2', '3', '4']);
    expect(rows(textOf('fleet.md'))).toEqual(['0', '1', '2', '3', '4']);
  });
});
