import fc from 'fast-check';
import { keepInput, readCorpus } from './corpus.ts';
import { nearly } from './mutate.ts';

/** Inputs of the whole suite: what the project of vitest.config.ts usually gives; FUZZ_RUNS asks for more or fewer. */
const suiteRuns = Number(process.env.FUZZ_RUNS ?? process.env.USUAL_FUZZ_RUNS);
/** The runs that one target gets of them. */
export function runsOf(share: number): number {
  return Math.max(10, Math.round(suiteRuns * share));
}

export type Target = {
  /** A folder of corpus/. */
  readonly kind: string;
  /** Names it in the report; the kind does otherwise. */
  readonly what?: string;
  /** Part of the suite's runs, from 0 to 1. */
  readonly share: number;
  /** More seeds than the corpus has. */
  readonly seeds?: readonly Buffer[];
  /** Throws when the input does harm. */
  readonly take: (input: Buffer) => unknown;
};

export type Slowest = { readonly input: Buffer; readonly ms: number };

/**
 * Gives a target its corpus and then as many mutations of it as its share is. A harmful input is made small and kept in
 * the corpus; the seed is in the error, FUZZ_SEED repeats it.
 */
export async function fuzz({ kind, what = kind, share, seeds = [], take }: Target): Promise<Slowest> {
  const corpus = [...readCorpus(kind), ...seeds];
  let slowest: Slowest = { input: Buffer.alloc(0), ms: 0 };
  async function timed(input: Buffer): Promise<void> {
    const start = performance.now();
    await take(input);
    const ms = performance.now() - start;
    if (ms > slowest.ms) slowest = { input, ms };
  }
  for (const input of corpus) await timed(input);

  const seed = process.env.FUZZ_SEED === undefined ? {} : { seed: Number(process.env.FUZZ_SEED) };
  const outcome = await fc.check(fc.asyncProperty(nearly(corpus), timed), {
    numRuns: runsOf(share),
    ...seed,
  });
  report(`fuzz ${what}: ${corpus.length + outcome.numRuns} inputs`, slowest);
  if (outcome.failed) {
    const [input] = outcome.counterexample ?? [];
    const file = input === undefined ? 'nowhere' : keepInput(kind, input);
    const cause = outcome.errorInstance instanceof Error ? outcome.errorInstance : new Error('unknown');
    throw new Error(`FUZZ_SEED=${outcome.seed} (${kind}), kept in ${file}: ${cause.message}`, { cause });
  }
  return slowest;
}

/** One line of the test's output: the cost of the worst input. */
export function report(what: string, { input, ms }: Slowest): void {
  const shown = JSON.stringify(input.subarray(0, 60).toString('latin1'));
  process.stdout.write(`${what}, slowest ${ms.toFixed(1)} ms (${input.length} bytes): ${shown}\n`);
}
