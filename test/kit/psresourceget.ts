import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasProgram, run } from './programs.ts';

/** PSResourceGet comes with PowerShell. */
export const hasPwsh = hasProgram('pwsh');

export type Repository = {
  readonly uri: string;
  readonly apiVersion: 'v2' | 'v3';
  /** A key for reading, given as the password of `-Credential`. */
  readonly readKey?: string | undefined;
  readonly pushKey: string;
};

/** What a script gave for each of its steps: what the command wrote, or the message it ended with. */
export type Steps = Readonly<
  Record<string, { readonly output: readonly unknown[]; readonly error?: string }>
>;

/**
 * Runs steps, PowerShell each, one after the other, in a PowerShell with a home of its own in `dir`, where the repository is registered as
 * `feed`. `$with` holds what every command needs; keys come from the environment, as they do on a build machine.
 */
export async function runSteps(
  dir: string,
  { uri, apiVersion, readKey, pushKey }: Repository,
  steps: Readonly<Record<string, string>>,
): Promise<Steps> {
  const home = join(dir, 'home');
  await mkdir(home, { recursive: true });
  const file = join(dir, 'steps.ps1');
  const lines = Object.entries(steps).map(([name, command]) => `Step '${name}' { ${command} }`);
  await writeFile(file, `${prelude(uri, apiVersion)}\n${lines.join('\n')}\n`);
  const { code, stdout, stderr } = await run('pwsh', ['-NoProfile', '-NonInteractive', '-File', file], {
    cwd: dir,
    env: {
      HOME: home,
      XDG_DATA_HOME: '',
      XDG_CONFIG_HOME: '',
      XDG_CACHE_HOME: '',
      POWERSHELL_TELEMETRY_OPTOUT: '1',
      POWERSHELL_UPDATECHECK: 'Off',
      NO_COLOR: '1',
      READ_KEY: readKey ?? '',
      PUSH_KEY: pushKey,
    },
  });
  if (code !== 0) throw new Error(`pwsh ended with ${code}\n${stdout}\n${stderr}`);
  const told = stdout.split('\n').filter((line) => line.startsWith('STEP '));
  return Object.fromEntries(told.map((line) => JSON.parse(line.slice('STEP '.length))));
}

const prelude = (uri: string, apiVersion: string): string => `
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
function Step($Name, $Command) {
  $result = @{ output = @() }
  try { $result.output = @(& $Command) } catch { $result.error = $_.Exception.Message }
  Write-Host ('STEP ' + (ConvertTo-Json -Compress -Depth 3 @($Name, $result)))
}
$with = @{ Repository = 'feed' }
if ($env:READ_KEY) {
  $with.Credential = [pscredential]::new('reader', (ConvertTo-SecureString $env:READ_KEY -AsPlainText -Force))
}
Register-PSResourceRepository -Name feed -Uri '${uri}' -ApiVersion ${apiVersion} -Trusted -Force
`;
