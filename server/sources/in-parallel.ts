/** What the work makes of each input, in the order of inputs; a few are worked on at a time. */
export async function* inParallel<In, Out>(
  inputs: Iterable<In>,
  parallel: number,
  work: (input: In) => Promise<readonly Out[]>,
): AsyncGenerator<Out> {
  const running: Promise<readonly Out[]>[] = [];
  for (const input of inputs) {
    const result = work(input);
    // Looked at in its turn; until then a failure is not unheard.
    result.catch(() => undefined);
    running.push(result);
    if (running.length >= parallel) yield* (await running.shift()) ?? [];
  }
  for (const result of running) yield* await result;
}
