import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './programs.ts';
import { makeTempDir } from './test-server.ts';

export type PesterResult = { readonly passed: number; readonly failed: readonly string[] };

/** Runs every `*.Tests.ps1` of a folder in one pwsh, which has a home of its own. @throws Error when Pester itself does not end well */
export async function runPester(
  folder: string,
  env: Readonly<Record<string, string>>,
): Promise<PesterResult> {
  const home = await makeTempDir();
  try {
    const file = join(home, 'result.json');
    const args = ['-NoProfile', '-NonInteractive', '-ExecutionPolicy', 'Bypass', '-File'];
    const settings = { HOME: home, PESTER_FOLDER: folder, PESTER_RESULT: file, ...env };
    const { code, stdout, stderr } = await run(
      'pwsh',
      [...args, join(import.meta.dirname, 'run-pester.ps1')],
      {
        env: settings,
      },
    );
    if (code !== 0) throw new Error(`Pester ended with ${code}\n${stdout}${stderr}`);
    return JSON.parse(await readFile(file, 'utf8'));
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}
