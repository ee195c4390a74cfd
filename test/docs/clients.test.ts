import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { digestBytes } from '../../formats/digest.ts';
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
  const folders = { chocolatey: 'Program Files/go-win-tools', scoop: 'Local App Data/go-win-tools' } as const;
  type Part = keyof typeof folders;
  type Ran = RunResult & { readonly noted: unknown; readonly hasCopy: boolean };

  /** Windows PowerShell is powershell.exe; here it is pwsh. */
  async function runScript(
    name: string,
    part: Part,
    args: readonly string[],
    code: number,
    copy?: string,
    beside?: string,
  ): Promise<Ran> {
    const block =
      new RegExp(`\`\`\`powershell\\n(# ${name}[\\s\\S]*?)\`\`\``).exec(textOf('fleet.md'))?.[1] ?? '';
    const home = await makeTempDir();
    const copied = join(home, folders[part], 'install.ps1');
    const script = block
      .replaceAll("'powershell.exe'", "'pwsh'")
      .replace("$part = 'chocolatey'", `$part = '${part}'`)
      .replace('SHA-256 OF install.ps1', digestBytes(Buffer.from(installer)).sha256);
    await writeFile(join(home, 'install.ps1'), installer);
    await writeFile(join(home, name), script);
    if (beside !== undefined) await writeFile(join(home, beside), 'a key');
    if (copy !== undefined) {
      await mkdir(dirname(copied), { recursive: true });
      await writeFile(copied, copy);
    }
    const result = await run('pwsh', ['-NoProfile', '-NonInteractive', '-File', join(home, name), ...args], {
      env: {
        HOME: home,
        ProgramW6432: join(home, 'Program Files'),
        LOCALAPPDATA: join(home, 'Local App Data'),
        NOTED: join(home, 'noted.json'),
        CODE: String(code),
      },
    });
    const noted = await readFile(join(home, 'noted.json'), 'utf8').catch(() => 'null');
    return {
      ...result,
      noted: JSON.parse(noted.replaceAll(home, '~').replaceAll('\\\\', '/')),
      hasCopy: (await readFile(copied, 'utf8').catch(() => '')) === installer,
    };
  }

  it.each([0, 3])('setup.ps1 passes arguments and the exit code %i on, and leaves a copy', async (code) => {
    const ran = await runScript('setup.ps1', 'chocolatey', ['-KeyFile', 'read me.key', '-Beta'], code);

    expect([ran.code, ran.stderr, ran.hasCopy]).toEqual([code, '', true]);
    expect(ran.noted).toEqual([
      ...['-Part', 'chocolatey', '-NonInteractive', '-LogFile', '~/Program Files/go-win-tools/install.log'],
      ...['-KeyFile', 'read me.key', '-Beta'],
    ]);
  });

  it('setup.ps1 takes the key that lies beside it', async () => {
    const ran = await runScript('setup.ps1', 'scoop', ['-Part', 'scoop'], 0, undefined, 'read.key');

    expect(ran.noted).toEqual(expect.arrayContaining(['-KeyFile', '~/read.key']));
  });

  it('setup.ps1 takes all of it back for a user, the copy too', async () => {
    const ran = await runScript('setup.ps1', 'scoop', ['-Part', 'scoop', '-Remove'], 0, installer);

    expect([ran.code, ran.stderr, ran.hasCopy]).toEqual([0, '', false]);
    expect(ran.noted).toEqual([
      ...['-Part', 'scoop', '-NonInteractive', '-LogFile', '~/Local App Data/go-win-tools/install.log'],
      '-Remove',
    ]);
  });

  it.each([
    { what: 'is set up', part: 'chocolatey', code: 0, copy: installer, said: 'go-win-tools is set up\n' },
    { what: 'is not set up', part: 'scoop', code: 1, copy: installer, said: '' },
    { what: 'has an older package', part: 'chocolatey', code: 0, copy: 'exit 0', said: '' },
    { what: 'has none', part: 'chocolatey', code: 0, copy: undefined, said: '' },
  ] as const)('detect.ps1 knows a machine that $what', async ({ part, code, copy, said }) => {
    const ran = await runScript('detect.ps1', part, [], code, copy);

    expect([ran.code, ran.stdout, ran.stderr]).toEqual([0, said, '']);
    expect(ran.noted).toEqual(copy === installer ? ['-Part', part, '-Check'] : null);
  });
});
