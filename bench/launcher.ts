import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, join, win32 } from 'node:path';
import { buildProgram } from '../own-packages/build-program.ts';
import { launcherSource } from '../shims/package.ts';
import { planShims } from '../shims/plan.ts';
import { readTemplates, writeShims } from '../shims/write-shims.ts';
import { createCache } from '../system/cache/cache.ts';
import { mustRun } from '../test/kit/programs.ts';
import { productDir } from '../test/kit/test-server.ts';
import { makeAccess } from '../test/kit/upstream-fixture.ts';
import { hasWine, startWine } from '../test/kit/wine.ts';
import { median } from './load.ts';
import { type Result, rateValue } from './results.ts';
import { launcher } from './rows.ts';
import type { Settings } from './settings.ts';

/** How much longer a program takes to start and end through NAME.exe than directly, measured in pairs under wine. */
export async function launcherResults({ workDir, rounds, isChosen, say }: Settings): Promise<Result[]> {
  if (!isChosen(launcher.name)) return [];
  if (!hasWine) {
    say(`${launcher.name}: skipped, it needs wine and mingw-w64`);
    return [];
  }
  say('making a Windows, for the start of a shim');
  const wine = await startWine(join(workDir, 'windows'));
  try {
    const drive = join(workDir, 'windows', 'wine', 'drive_c');
    const [pairs, tool] = [join(drive, 'pairs.exe'), join(drive, 'scoop/apps/bench/current/bench.exe')];
    const source = join(import.meta.dirname, 'launcher-pairs.c');
    await mustRun('x86_64-w64-mingw32-gcc', ['-s', '-municode', '-o', pairs, source]);
    await mkdir(dirname(tool), { recursive: true });
    await copyFile(pairs, tool);
    const settings = {
      ...makeAccess(),
      env: process.env,
      productDir,
      signCommand: undefined,
    };
    const built = await buildProgram(
      { ...settings, cache: createCache(join(workDir, 'cache')) },
      launcherSource,
    );
    const policy = { tools: { bench: { paths: [{ path: 'C:\\scoop\\apps\\bench\\current\\bench.exe' }] } } };
    await writeShims(join(drive, 'shims'), planShims([], policy), await readTemplates(productDir), built);
    const of = (...parts: string[]): string => win32.join('C:\\', ...parts);
    const { code, stdout } = await wine.run(pairs, [
      String(20 * rounds),
      of('scoop', 'apps', 'bench', 'current', 'bench.exe'),
      of('shims', 'bench.exe'),
    ]);
    if (code !== 0) throw new Error(`pairs.exe ended with ${code}`);
    const samples = stdout
      .trim()
      .split(/\r?\n/)
      .map((line) => line.split(' ').map((text) => Number(text) / 1000));
    const more = median(samples.map(([direct = 0, through = 0]) => through - direct));
    const ratio = median(samples.map(([direct = 0, through = 0]) => through / direct));
    return [
      {
        operation: launcher.name,
        feed: `+${more.toFixed(0)} ms`,
        ratio,
        against: 'directly',
        ...rateValue(ratio, launcher),
      },
    ];
  } finally {
    await wine.stop();
  }
}
