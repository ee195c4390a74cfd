import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readInstallScript, renderPowerShell } from '../../../server/install/render.ts';
import { hasProgram, mustRun } from '../../kit/programs.ts';
import { makeTempDir, productDir } from '../../kit/test-server.ts';

/** What PowerShell 7 takes and Windows PowerShell 5.1 does not. */
const samples: readonly (readonly [string, string])[] = [
  ['$a = $b ? 1 : 2', 'ternary'],
  ['Test-Path a && Test-Path b', 'chain AndAnd'],
  ['Test-Path a || Test-Path b', 'chain OrOr'],
  ['$a ??= 1', '??='],
  ['$a = $b ?? 1', '??'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: braces of PowerShell
  ['$a = ${b}?.Length', '?. or ?[]'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: braces of PowerShell
  ['$a = ${b}?[0]', '?. or ?[]'],
  ['Get-Process &', 'background &'],
  ['1..3 | ForEach-Object -Parallel { $_ }', 'ForEach-Object -Parallel'],
  ['ConvertFrom-Json $a -AsHashtable', 'ConvertFrom-Json -AsHashtable'],
  ['ConvertFrom-Json $a -Depth 9', 'ConvertFrom-Json -Depth'],
  ['ConvertTo-Json $a -AsArray', 'ConvertTo-Json -AsArray'],
  ['Join-Path a b c', 'Join-Path with three parts'],
  ['Join-Path a b -AdditionalChildPath c', 'Join-Path -AdditionalChildPath'],
  ['Split-Path a -LeafBase', 'Split-Path -LeafBase'],
  ['Set-Content a b -Encoding utf8NoBOM', '-Encoding utf8NoBOM'],
  ['Get-Content a -AsByteStream', 'Get-Content -AsByteStream'],
  ['Invoke-WebRequest $a -SkipHttpErrorCheck', 'Invoke-WebRequest -SkipHttpErrorCheck'],
  ['Invoke-RestMethod $a -StatusCodeVariable b', 'Invoke-RestMethod -StatusCodeVariable'],
  ['if ($IsWindows) { 1 }', '$IsWindows'],
  ['Get-Error', 'Get-Error'],
  ["$a -replace 'b', { 'c' }", '-replace by a script block'],
  ["'a'..'z'", 'range of letters'],
  ['0b101', 'number 0b101'],
  ['1u', 'number 1u'],
  ['"`e[0m"', 'escape in'],
  ['"`u{2013}"', 'escape in'],
  ['[Convert]::ToHexString($a)', '[Convert]::ToHexString'],
  ['[System.Text.Json.JsonDocument]::Parse($a)', 'type System.Text.Json.JsonDocument'],
  ['function f { process { } clean { } }', 'clean block'],
];

/** Server Core has Windows PowerShell 5.1 alone. */
const imageSteps = 'devbox/templates/images/windows';

describe.skipIf(!hasProgram('pwsh'))('what Windows PowerShell 5.1 lacks (needs pwsh)', () => {
  let scripts: readonly (readonly [string, string])[];
  let found: readonly (readonly string[])[];
  beforeAll(async () => {
    const read = (path: string) => readFile(join(productDir, path), 'utf8');
    const { ps1, cmd } = await readInstallScript(productDir);
    const workflow = parse(await read('.github/workflows/windows.yml')) as {
      jobs: { clients: { steps: { name?: string; run?: string }[] } };
    };
    const steps = workflow.jobs.clients.steps.flatMap(({ name, run }) =>
      run === undefined ? [] : [[`windows.yml: ${name}`, run] as const],
    );
    scripts = [
      ['install.ps1', renderPowerShell(ps1, { publicUrl: 'https://feed.example', readAuth: 'all' })],
      ['install.cmd', / -Command "([^"]*) #" %\*/.exec(cmd)?.[1] ?? '??'],
      ['shims/templates/trust.ps1', await read('shims/templates/trust.ps1')],
      ...(await Promise.all(
        (
          await readdir(join(productDir, imageSteps))
        )
          .filter((name) => name.endsWith('.ps1'))
          .map(async (name) => [name, await read(join(imageSteps, name))] as const),
      )),
      ...steps,
    ];
    const dir = await makeTempDir();
    const env = { TEXTS: join(dir, 'texts.json'), RESULTS: join(dir, 'results.json') };
    const texts = [...samples.map(([text]) => text), ...scripts.map(([, text]) => text)];
    await writeFile(env.TEXTS, JSON.stringify(texts));
    await mustRun('pwsh', ['-NoProfile', '-File', join(productDir, 'test/kit/install/newer.ps1')], { env });
    found = JSON.parse(await readFile(env.RESULTS, 'utf8'));
    await rm(dir, { recursive: true });
  });

  it.each(samples.map(([text, what], at) => [text, what, at] as const))('%s: %s', (_text, what, at) => {
    expect(found[at]?.join('\n')).toContain(`: ${what}`);
  });

  it('is in no script that has to run there', () => {
    expect(scripts.length).toBeGreaterThan(10);
    expect(found).toHaveLength(samples.length + scripts.length);
    expect(scripts.map(([name], at) => [name, found[samples.length + at]])).toEqual(
      scripts.map(([name]) => [name, []]),
    );
  });
});
