/** `pnpm bench`: how fast the feed answers, as ratios against references in the same run (docs/operate/performance.md). */
import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { compareSizes } from './compare-sizes.ts';
import { handInResults } from './hand-in.ts';
import { inUseNames } from './in-use.ts';
import { launcherResults } from './launcher.ts';
import { outageResults } from './outages.ts';
import { releaseResults } from './releases.ts';
import { replicaResults } from './replicas.ts';
import { type Result, tableOf } from './results.ts';
import { feedRowNames, rowNames } from './rows.ts';
import { runTable } from './run-table.ts';
import { productFrom, type Settings } from './settings.ts';
import { makeWorkDir, removeWorkDir } from './work-dir.ts';

type Options = {
  versions: string;
  seconds: string;
  rounds: string;
  from: string;
  json?: string;
  scale?: boolean;
  strict?: boolean;
};

await new Command('bench')
  .description('Measures the feed against reference servers on the same machine.')
  .argument('[ROW...]', 'only rows whose name holds one of these words; without: all')
  .option('--versions <n>', 'how many versions the feed holds, 165000 for a big one', '10000')
  .option('--seconds <n>', 'how long one sample takes', '2')
  .option('--rounds <n>', 'how many samples each, of which the median counts', '5')
  .option('--from <what>', 'dist (built for this run, as the image runs it) or checkout (tsx)', 'dist')
  .option('--scale', 'the reading rows at 165,000 versions beside 10,000, in one run')
  .option('--json <file>', 'writes the results there, too')
  .option('--strict', 'exit 1 when a "must" is missed; errors in answers are exit 1 always')
  .addHelpText('after', `\nRows: ${[...rowNames, ...inUseNames].join('; ')}\n`)
  .action(bench)
  .parseAsync();

async function bench(words: string[], options: Options): Promise<void> {
  const workDir = await makeWorkDir();
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  try {
    const settings: Settings = {
      workDir,
      versions: Number(options.versions),
      seconds: Number(options.seconds),
      rounds: Number(options.rounds),
      isChosen: (name) =>
        words.length === 0 || words.some((word) => name.toLowerCase().includes(word.toLowerCase())),
      say,
      product: productFrom(options.from, { workDir, say }),
    };
    const results = options.scale
      ? await compareSizes(settings)
      : [
          ...([...feedRowNames, ...inUseNames].some(settings.isChosen) ? await runTable(settings) : []),
          ...(await launcherResults(settings)),
          ...(await releaseResults(settings)),
          ...(await handInResults(settings)),
          ...(await replicaResults(settings)),
          ...(await outageResults(settings)),
        ];
    process.stdout.write(`\n${tableOf(results)}\n`);
    if (options.json !== undefined) {
      const { versions } = settings;
      await writeFile(
        options.json,
        `${JSON.stringify({ versions, from: options.from, results }, null, 2)}\n`,
      );
    }
    process.exitCode = exitCodeOf(results, options.strict ?? false);
  } finally {
    await removeWorkDir(workDir);
  }
}

function exitCodeOf(results: readonly Result[], isStrict: boolean): number {
  const hasErrors = results.some(({ errors = 0 }) => errors > 0);
  return hasErrors || (isStrict && results.some(({ verdict }) => verdict === 'MISSED')) ? 1 : 0;
}
