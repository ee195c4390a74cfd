/** The results of the work in the order of its inputs; a few run at a time. */
export async function* inParallel<In, Out>(
  inputs: Iterable<In>,
  parallel: number,
  work: (input: In) => Promise<readonly Out[]>,
): AsyncGenerator<Out> {
  const running: Promise<readonly Out[]>[] = [];
  for (const input of inputs) {
    const result = work(input);
    // Handled in its turn; until then a failure must not count as unhandled.
    result.catch(() => undefined);
    running.push(result);
    if (running.length >= parallel) yield* (await running.shift()) ?? [];
  }
  for (const result of running) yield* await result;
}
