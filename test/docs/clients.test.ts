import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { setupCommands } from '../../server/gallery/commands.ts';
import { makeTempDir, productDir } from '../kit/house.ts';
import { type RunResult, run } from '../kit/programs.ts';
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
  async function runScript(
    name: string,
    args: readonly string[],
    code: number,
  ): Promise<RunResult & { noted: unknown }> {
    const [, block = ''] =
      new RegExp(`\`\`\`powershell\\n(# ${name}[\\s\\S]*?)\`\`\``).exec(textOf('fleet.md')) ?? [];
    const home = await makeTempDir();
    const programs = join(home, 'Program Files');
    const noted = join(home, 'noted.json');
    await mkdir(join(programs, 'go-win-tools'), { recursive: true });
    await writeFile(join(home, 'install.ps1'), installer);
    await copyFile(join(home, 'install.ps1'), join(programs, 'go-win-tools', 'install.ps1'));
    // Windows PowerShell is powershell.exe; here it is pwsh.
    await writeFile(join(home, name), block.replaceAll("'powershell.exe'", "'pwsh'"));
    const result = await run('pwsh', ['-NoProfile', '-NonInteractive', '-File', join(home, name), ...args], {
      env: {
        HOME: home,
        ProgramW6432: programs,
        LOCALAPPDATA: join(home, 'Local App Data'),
        NOTED: noted,
        CODE: String(code),
      },
    });
    const text = await readFile(noted, 'utf8');
    return { ...result, noted: JSON.parse(text.replaceAll(home, '~').replaceAll('\\\\', '/')) };
  }

  it.each([0, 1, 3])('setup.ps1 passes the arguments on, and the exit code %i', async (code) => {
    const machine = await runScript('setup.ps1', ['-KeyFile', 'read me.key', '-Beta'], code);

    expect([machine.code, machine.stderr]).toEqual([code, '']);
    expect(machine.noted).toEqual([
      ...['-Part', 'chocolatey', '-NonInteractive', '-LogFile', '~/Program Files/go-win-tools/install.log'],
      ...['-KeyFile', 'read me.key', '-Beta'],
    ]);
  });

  it('setup.ps1 works for a user, and takes all of it back', async () => {
    const user = await runScript('setup.ps1', ['-Part', 'scoop', '-Remove'], 0);

    expect([user.code, user.stderr]).toEqual([0, '']);
    expect(user.noted).toEqual([
      ...['-Part', 'scoop', '-NonInteractive', '-LogFile', '~/Local App Data/go-win-tools/install.log'],
      '-Remove',
    ]);
  });

  it.each([
    { code: 0, said: 'go-win-tools is set up\n' },
    { code: 1, said: '' },
  ])('detect.ps1 says "$said" and ends with 0 where -Check ends with $code', async ({ code, said }) => {
    const detected = await runScript('detect.ps1', [], code);

    expect([detected.code, detected.stdout, detected.stderr]).toEqual([0, said, '']);
    expect(detected.noted).toEqual(['-Part', 'chocolatey', '-Check']);
  });
});
