import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configHelp } from '../../server/settings.ts';
import { fencedBlocks } from '../kit/page-commands.ts';
import { nodesOf, parsePowerShell, placeOf } from '../kit/powershell.ts';
import { productDir } from '../kit/test-server.ts';

const page = await readFile(join(productDir, 'docs/operate/windows-server.md'), 'utf8');
const blocks = fencedBlocks(page, 'powershell');

/** What PowerShell itself says of it: powershell.test.ts. */
describe('the page about Windows Server', () => {
  it('has PowerShell that editors understand, without what Windows PowerShell 5.1 lacks', async () => {
    expect(blocks.length).toBeGreaterThan(4);
    for (const block of blocks) {
      const root = await parsePowerShell(block);
      const faults = ['ERROR', 'pipeline_chain_tail'].flatMap((type) => nodesOf(root, type));
      expect(faults.map(placeOf), block).toEqual([]);
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
