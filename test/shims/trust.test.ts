import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { oneLine } from '../../shims/write-shims.ts';
import { hasProgram, mustRun, run } from '../kit/programs.ts';
import { makeTempDir, productDir } from '../kit/test-server.ts';

type Table = {
  readonly caller: string;
  readonly root: string;
  readonly exe: string;
  readonly usual: Readonly<Record<string, string>>;
  readonly cases: readonly {
    readonly name: string;
    readonly says?: Readonly<Record<string, string>>;
    readonly links?: Readonly<Record<string, string>>;
    readonly refused: string;
  }[];
};

const launcher = join(productDir, 'shims', 'launcher');
const table = JSON.parse(await readFile(join(launcher, 'testdata', 'trust.json'), 'utf8')) as Table;
const script = await readFile(join(productDir, 'shims', 'templates', 'trust.ps1'), 'utf8');

/** Who may change a program that all users share: one table for the launcher and for what the scripts ask. */
describe('whom a shim trusts', () => {
  it('is one line that cmd and sh can pass on', () => {
    const line = oneLine(script);

    expect(line).not.toMatch(/["%\r\n]/);
    // cmd's own limit is 8,191 characters for the whole line
    expect(line.length).toBeLessThan(6_000);
  });

  it.skipIf(!hasProgram('go'))('is decided by the launcher as the table says (needs go)', async () => {
    const { code, stdout, stderr } = await run('go', ['test', '-count=1', '.'], { cwd: launcher });

    expect(code, stdout + stderr).toBe(0);
  });

  describe.skipIf(!hasProgram('pwsh'))('by PowerShell (needs pwsh)', () => {
    let dir: string;
    let ended: readonly string[];
    let env: Record<string, string>;

    beforeAll(async () => {
      dir = await makeTempDir();
      await mkdir(join(dir, 'System32'));
      const whoami = `#!/bin/sh\necho '"pc\\me","${table.caller}"'\n`;
      await writeFile(join(dir, 'System32', 'whoami.exe'), whoami, { mode: 0o755 });
      await writeFile(join(dir, 'table.json'), JSON.stringify(table));
      await writeFile(join(dir, 'line.txt'), oneLine(script));
      await writeFile(join(dir, 'stand-ins.ps1'), standIns);
      await writeFile(join(dir, 'run.ps1'), everyCase);
      env = {
        SystemRoot: dir,
        TABLE_DIR: dir,
        GO_WIN_TOOLS_FILE: table.exe,
        GO_WIN_TOOLS_ROOT: table.root,
      };
      const args = ['-NoProfile', '-NonInteractive', '-File', join(dir, 'run.ps1')];
      ended = JSON.parse(await mustRun('pwsh', args, { env }));
    });

    afterAll(async () => {
      await rm(dir, { recursive: true, force: true });
    });

    it.each(table.cases.map(({ name, refused }, index) => ({ name, refused, index })))(
      '$name',
      ({ refused, index }) => {
        if (refused === '') expect(ended[index]).toBe('');
        else expect(ended[index]).toContain(refused);
      },
    );

    it.each([
      { name: 'no reason', acl: table.usual[''], code: 0, says: '' },
      { name: 'a reason', acl: 'O:BUG:BUD:', code: 1, says: 'belongs to others' },
      { name: 'no answer', acl: '', code: 2, says: 'cannot be seen' },
    ])('ends with $code for $name', async ({ acl, code, says }) => {
      const first = `function Get-Acl { if ('${acl}' -eq '') { throw 'no' }; @{ Sddl = '${acl}' } }; function Get-Item { @{} }; `;
      const args = ['-NoProfile', '-NonInteractive', '-Command', first + oneLine(script)];

      const result = await run('pwsh', args, { env });

      expect(result.code, result.stderr).toBe(code);
      expect(result.stdout).toContain(says);
    });
  });
});

/** Stand-ins for what is Windows' own; $table and $case are there. */
const standIns = `
function global:Get-Acl($LiteralPath) {
  foreach ($list in $case.says, $table.usual) {
    if ($null -ne $list -and $list.ContainsKey($LiteralPath)) {
      if ($list[$LiteralPath] -eq '') { throw 'access is denied' }
      return @{ Sddl = $list[$LiteralPath] }
    }
  }
  @{ Sddl = $table.usual[''] }
}
function global:Get-Item($LiteralPath, [switch] $Force) {
  if ($null -ne $case.links -and $case.links.ContainsKey($LiteralPath)) { @{ LinkType = 'Junction'; Target = @($case.links[$LiteralPath]) } }
  else { @{ LinkType = $null } }
}
`;

/** A case a runspace: exit ends that alone. */
const everyCase = `
$table = Get-Content -Raw (Join-Path $env:TABLE_DIR 'table.json') | ConvertFrom-Json -AsHashtable
$line = Get-Content -Raw (Join-Path $env:TABLE_DIR 'line.txt')
$standIns = Get-Content -Raw (Join-Path $env:TABLE_DIR 'stand-ins.ps1')
$says = foreach ($case in $table.cases) {
  $shell = [powershell]::Create()
  $shell.Runspace.SessionStateProxy.SetVariable('table', $table)
  $shell.Runspace.SessionStateProxy.SetVariable('case', $case)
  [void]$shell.AddScript($standIns).Invoke()
  $shell.Commands.Clear()
  (@($shell.AddScript($line).Invoke()) + @($shell.Streams.Error)) -join ' '
}
ConvertTo-Json -Compress @($says)
`;
