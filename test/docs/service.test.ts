import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasProgram, run } from '../kit/programs.ts';
import { expectCleanUnits } from '../kit/systemd.ts';
import { makeTempDir, productDir } from '../kit/test-server.ts';

const unit = join(productDir, 'docs', 'operate', 'go-win-tools.service');

describe('the unit for systemd', () => {
  it('keeps data and new files from other users', async () => {
    const text = await readFile(unit, 'utf8');

    expect(text).toMatch(/^StateDirectoryMode=0700$/m);
    expect(text).toMatch(/^UMask=0077$/m);
    expect(text).toMatch(/^CapabilityBoundingSet=$/m);
    // Node's own compiler needs it
    expect(text).not.toMatch(/^MemoryDenyWriteExecute=/m);
  });

  it.skipIf(!hasProgram('systemd-analyze'))(
    'is clean to systemd, and hardened (needs systemd-analyze)',
    async () => {
      const dir = await makeTempDir();
      const own = join(dir, 'go-win-tools.service');
      await cp(unit, own);
      const text = await readFile(own, 'utf8');
      await writeFile(
        own,
        text.replace(/^ExecStart=\S+ \S+/m, `ExecStart=${process.execPath} ${join(productDir, 'main.ts')}`),
      );

      await expectCleanUnits('go-win-tools.service:', [own]);

      const { stdout } = await run('systemd-analyze', ['security', '--offline=true', own]);
      const [, exposure] = /Overall exposure level for .*: ([\d.]+)/.exec(stdout) ?? [];
      expect(Number(exposure)).toBeLessThan(2);
    },
  );
});
