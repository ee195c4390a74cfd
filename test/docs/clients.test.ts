import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { setupCommands } from '../../server/gallery/commands.ts';
import { makeTempDir, productDir } from '../kit/house.ts';
import { run } from '../kit/programs.ts';
import { hasPwsh } from '../kit/psresourceget.ts';

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

/** The anchors of a page, as GitHub and GitLab make them of its headings. */
function anchorsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe('the pages for clients', () => {
  it.each(names)('has links that lead somewhere: %s', async (name) => {
    const text = textOf(name).replace(/```[\s\S]*?```/g, '');
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)];

    expect(links).not.toEqual([]);
    for (const [link, path = '', anchor] of links) {
      const target = path === '' ? join(dir, name) : resolve(dirname(join(dir, name)), path);
      const found = await readFile(target, 'utf8');
      if (anchor !== undefined) expect(anchorsOf(found), link).toContain(anchor);
    }
  });

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
    'says what does not work and why, what was run, and what still needs Windows: %s',
    (name) => {
      expect(anchorsOf(textOf(name))).toEqual(
        expect.arrayContaining(['what-does-not-work-and-why', 'what-was-run']),
      );
      expect(textOf(name)).toMatch(/needs Windows|still to be seen/);
    },
  );
});

/** Stands in for install.ps1: notes what it was given, and ends as the test wants. */
const installer = `$args | ConvertTo-Json -Compress -AsArray | Set-Content $env:NOTED
Write-Host 'some text'
exit [int]$env:CODE
`;

describe.skipIf(!hasPwsh)('the scripts of docs/clients/fleet.md (pwsh)', () => {
  /** A machine with these files beside each other; how install.ps1 ends there, and what it was given. */
  async function startMachine(part: 'chocolatey' | 'scoop', files: Readonly<Record<string, string>> = {}) {
    const home = await makeTempDir();
    const noted = join(home, 'noted.json');
    for (const [name, text] of Object.entries({ 'install.ps1': installer, ...files })) {
      await writeFile(join(home, name), text);
    }
    return async (name: string, ending: number, args: readonly string[] = [], number = '1') => {
      const block =
        new RegExp(`\`\`\`powershell\\n(# ${name}[\\s\\S]*?)\`\`\``).exec(textOf('fleet.md'))?.[1] ?? '';
      // Windows PowerShell is powershell.exe; here it is pwsh.
      const script = block
        .replaceAll("'powershell.exe'", "'pwsh'")
        .replace("$part = 'chocolatey'", `$part = '${part}'`)
        .replace("$package = '1'", `$package = '${number}'`);
      await writeFile(join(home, name), script);
      await rm(noted, { force: true });
      const result = await run(
        'pwsh',
        ['-NoProfile', '-NonInteractive', '-File', join(home, name), ...args],
        {
          env: {
            HOME: home,
            ProgramW6432: join(home, 'Program Files'),
            LOCALAPPDATA: join(home, 'Local App Data'),
            NOTED: noted,
            CODE: String(ending),
          },
        },
      );
      expect(result.stderr).toBe('');
      const given = await readFile(noted, 'utf8').catch(() => 'null');
      return {
        code: result.code,
        said: name === 'detect.ps1' ? result.stdout : '',
        given: JSON.parse(given.replaceAll(home, '~').replaceAll('\\\\', '/')) as string[] | null,
      };
    };
  }

  it('set up a machine, know it, and know it no more for the next package', {
    timeout: 180_000,
  }, async () => {
    const machine = await startMachine('chocolatey');
    const asked = ['-Part', 'chocolatey', '-Check'];
    const log = '~/Program Files/go-win-tools/install.log';
    const given = ['-Part', 'chocolatey', '-NonInteractive', '-LogFile', log, '-KeyFile', 'a b.key', '-Beta'];
    const setUp = ['-KeyFile', 'a b.key', '-Beta'];

    expect(await machine('setup.ps1', 3, setUp)).toEqual({ code: 3, said: '', given });
    expect(await machine('detect.ps1', 0)).toEqual({ code: 0, said: '', given: null });
    expect(await machine('setup.ps1', 0, setUp)).toEqual({ code: 0, said: '', given });
    expect(await machine('detect.ps1', 0)).toEqual({
      code: 0,
      said: 'go-win-tools is set up\n',
      given: asked,
    });
    expect(await machine('detect.ps1', 1)).toEqual({ code: 0, said: '', given: asked });
    expect(await machine('detect.ps1', 0, [], '2')).toEqual({ code: 0, said: '', given: null });
  });

  it('set up a user with the key beside them, and take it back', { timeout: 180_000 }, async () => {
    const user = await startMachine('scoop', { 'read.key': 'a key' });
    const log = '~/Local App Data/go-win-tools/install.log';
    const given = ['-Part', 'scoop', '-NonInteractive', '-LogFile', log, '-KeyFile', '~/read.key'];

    expect(await user('setup.ps1', 0, ['-Part', 'scoop'])).toEqual({ code: 0, said: '', given });
    expect((await user('detect.ps1', 0)).said).toBe('go-win-tools is set up\n');
    const removed = await user('setup.ps1', 0, ['-Part', 'scoop', '-Remove']);
    expect(removed).toEqual({ code: 0, said: '', given: [...given, '-Remove'] });
    expect(await user('detect.ps1', 0)).toEqual({ code: 0, said: '', given: null });
  });
});
