import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configHelp } from '../../server/settings.ts';
import { fencedBlocks } from '../kit/page-commands.ts';
import { nodesOf, parsePowerShell, placeOf } from '../kit/powershell.ts';
import { hasProgram, run } from '../kit/programs.ts';
import { makeTempDir, productDir } from '../kit/test-server.ts';

const page = await readFile(join(productDir, 'docs/operate/windows-server.md'), 'utf8');
const blocks = fencedBlocks(page, 'powershell');

const parse = `
foreach ($file in $args) {
  $tokens = $faults = $null
  [void][Management.Automation.Language.Parser]::ParseFile($file, [ref]$tokens, [ref]$faults)
  foreach ($fault in $faults) { Write-Output "$($file):$($fault.Extent.StartLineNumber): $($fault.Message)" }
}`;

describe('the page about Windows Server', () => {
  it('has PowerShell that editors understand, without what Windows PowerShell 5.1 lacks', async () => {
    expect(blocks.length).toBeGreaterThan(4);
    for (const block of blocks) {
      const root = await parsePowerShell(block);
      const faults = ['ERROR', 'pipeline_chain_tail'].flatMap((type) => nodesOf(root, type));
      expect(faults.map(placeOf), block).toEqual([]);
    }
  });

  it.skipIf(!hasProgram('pwsh'))('has PowerShell that PowerShell itself can parse (needs pwsh)', async () => {
    const dir = await makeTempDir();
    try {
      const files = blocks.map((_, at) => join(dir, `${at}.ps1`));
      for (const [at, file] of files.entries()) await writeFile(file, blocks[at] ?? '');
      await writeFile(join(dir, 'parse.ps1'), parse);

      const { code, stdout } = await run('pwsh', ['-NoProfile', '-File', join(dir, 'parse.ps1'), ...files]);

      expect([code, stdout]).toEqual([0, '']);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });

  it('gives the service settings that exist, and no secret', () => {
    const names = [...page.matchAll(/'--env', ["'](\w+)=/g)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(4);
    for (const name of names)
      expect(configHelp()).toMatch(new RegExp(`^ +${name}\\b|^ +\\w+, ${name}\\b`, 'm'));
    expect(names.filter((name) => /KEY$|_URL$/.test(name ?? '') && name !== 'PUBLIC_URL')).toEqual([]);
  });
});
