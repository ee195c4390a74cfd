import { median, type Sample } from './load.ts';

export type Contestant = { readonly name: string; readonly run: (round: number) => Promise<Sample> };
export type Contest = {
  readonly perSecond: (name: string) => number | undefined;
  readonly errors: number;
};

/**
 * Runs all contestants in turn, round by round, and takes the median of each: when the machine's speed drifts, it drifts for all
 * of them.
 */
export async function contest(contestants: readonly Contestant[], rounds: number): Promise<Contest> {
  const samples = new Map<string, Sample[]>(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const { name, run } of contestants) {
      samples.get(name)?.push(await run(round));
    }
  }
  return {
    perSecond(name) {
      const rates = samples.get(name)?.map(({ perSecond }) => perSecond);
      return rates && median(rates);
    },
    errors: [...samples.values()].flat().reduce((sum, { errors }) => sum + errors, 0),
  };
}
