import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mainJs } from '../kit/main-js.ts';
import { makeNupkg } from '../kit/nupkg.ts';
import { fencedBlocks } from '../kit/page-commands.ts';
import { hasProgram, run } from '../kit/programs.ts';
import { makeTempDir, productDir, pushNupkg, startTestServer, type TestServer } from '../kit/test-server.ts';

const docs = join(productDir, 'docs');
const names = (await readdir(docs, { recursive: true })).filter((name) => name.endsWith('.md')).toSorted();
const pages = await Promise.all(
  names.map(async (name) => {
    const text = await readFile(join(docs, name), 'utf8');
    return [name.replaceAll('\\', '/'), fencedBlocks(text, 'powershell')] as const;
  }),
);
const withBlocks = pages.filter(([, blocks]) => blocks.length > 0);

/** Names faults, and what Windows PowerShell 5.1 lacks: `&&`, `||`, `? :`, `??`, `?.`. */
const parse = `
$newer = 'PipelineChainAst', 'TernaryExpressionAst'
foreach ($file in $args) {
  $tokens = $faults = $null
  $ast = [Management.Automation.Language.Parser]::ParseFile($file, [ref]$tokens, [ref]$faults)
  foreach ($fault in $faults) { Write-Output "$($file):$($fault.Extent.StartLineNumber): $($fault.Message)" }
  foreach ($node in $ast.FindAll({ $args[0].GetType().Name -in $newer }, $true)) { Write-Output "$($file): $($node.Extent.Text)" }
  foreach ($token in $tokens) { if ("$($token.Kind)" -like '*Question*') { Write-Output "$($file): $($token.Text)" } }
}`;

describe.skipIf(!hasProgram('pwsh'))('the PowerShell in docs (needs pwsh)', () => {
  let dir: string;
  let server: TestServer;
  beforeAll(async () => {
    dir = await makeTempDir();
    server = await startTestServer();
    const scripts = {
      'tools/chocolateyInstall.ps1': "Get-ChocolateyWebFile 'x' 'https://dl.example.org/x.exe'",
    };
    for (const nupkg of [
      makeNupkg({ id: 'acme.tool', version: '2.1.0' }),
      makeNupkg({ id: 'firefox', version: '128.0.0', files: scripts }),
    ])
      expect((await pushNupkg(server, nupkg, server.adminKey)).status).toBe(201);
  });
  afterAll(async () => {
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  });

  it('is understood by PowerShell, and would be by 5.1 of Windows', async () => {
    expect(withBlocks.map(([name]) => name)).toContain('operate/windows-server.md');
    const files: string[] = [];
    for (const [name, blocks] of withBlocks)
      for (const [at, block] of blocks.entries()) {
        const file = join(dir, `${name.replaceAll('/', '-')}-${at}.ps1`);
        files.push(file);
        await writeFile(file, block);
      }
    await writeFile(join(dir, 'parse.ps1'), parse);

    const check = (...all: readonly string[]) =>
      run('pwsh', ['-NoProfile', '-File', join(dir, 'parse.ps1'), ...all]);

    expect(await check(...files)).toMatchObject({ code: 0, stdout: '' });
    const newer = join(dir, 'newer.ps1');
    await writeFile(newer, 'a && b\n$x ?? 1\n$true ? 1 : 2\nif (');
    expect((await check(newer)).stdout.trim().split('\n').length).toBeGreaterThan(3);
  });

  /** The block of a page that calls this verb, with the program of this checkout. */
  async function runBlock(page: string, verb: string, programData = dir): Promise<readonly string[]> {
    const [, blocks = []] = pages.find(([name]) => name === page) ?? [];
    const block = blocks.find((one) => one.includes(verb));
    const script = `$ErrorActionPreference = 'Stop'\n${block?.replaceAll('dist\\main.js', mainJs)}`;
    const { code, stdout, stderr } = await run(
      'pwsh',
      ['-NoProfile', '-NonInteractive', '-Command', script],
      {
        cwd: dir,
        env: { ...process.env, DATA_DIR: server.dataDir, ProgramData: programData },
      },
    );
    expect([code, stderr], stdout).toEqual([0, '']);
    return stdout.trim().split(/\r?\n/);
  }

  it('names the machines that downloaded a version, as operate/installed.md says', async () => {
    const headers = { 'X-NuGet-ApiKey': server.adminKey };
    for (const [client, id] of [
      ['pc-7', 'acme.tool/2.1.0'],
      ['pc-8', 'firefox/128.0.0'],
    ] as const)
      await (await fetch(`${server.url}/nuget/c/${client}/package/${id}`)).arrayBuffer();
    // Written within seconds.
    const known = async () => (await fetch(`${server.url}/api/v1/clients`, { headers })).text();
    await expect.poll(known).toMatch(/acme\.tool.*firefox|firefox.*acme\.tool/s);

    expect(await runBlock('operate/installed.md', 'feed:clients list')).toEqual(['pc-7']);
    // machines for each version, and those below another one; none is that old
    expect(await runBlock('operate/installed.md', 'Export-Csv')).toEqual(['1 2.1.0', 'pc-7']);
    const [header, ...machines] = (await readFile(join(dir, 'machines.csv'), 'utf8')).trim().split(/\r?\n/);
    expect(header).toBe('"Machine","LastSeen","Package","Version","Day"');
    expect(machines.toSorted()).toEqual([
      expect.stringMatching(/^"pc-7","[\d-]+","acme.tool","2.1.0","[\d-]+"$/),
      expect.stringMatching(/^"pc-8","[\d-]+","firefox","128.0.0","[\d-]+"$/),
    ]);
  });

  it.each([
    ['1.21.0', ''],
    ['1.22.0', 'delve 1.22.0 is installed'],
    ['1.22.0.1', 'delve 1.22.0.1 is installed'],
    ['1.100.0-beta.1', 'delve 1.100.0-beta.1 is installed'],
  ])('detects an installed delve %s as clients/fleet.md says', async (version, said) => {
    const lib = join(dir, version, 'chocolatey', 'lib', 'delve');
    await mkdir(lib, { recursive: true });
    const nuspec = `<package><metadata><id>delve</id><version>${version}</version></metadata></package>`;
    await writeFile(join(lib, 'delve.nuspec'), nuspec);

    expect(await runBlock('clients/fleet.md', '# detect-tool.ps1', join(dir, version))).toEqual([said]);
  });

  it('names the packages whose scripts download, as operate/community-packages.md says', async () => {
    const said = await runBlock('operate/community-packages.md', 'feed:export');

    expect(said.filter((line) => line.endsWith('.nupkg'))).toEqual(['firefox.128.0.0.nupkg']);
  });
});
