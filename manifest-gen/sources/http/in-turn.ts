const lastOf = new Map<string, Promise<void>>();

/** One work after the other on the same thing, on others at once: two tools of a run may want the same file. */
export async function inTurn<T>(thing: string, work: () => Promise<T>): Promise<T> {
  const turn = (lastOf.get(thing) ?? Promise.resolve()).then(work);
  // how it ended is told to whoever wanted it, not to the next
  const ended = turn.then(
    () => {},
    () => {},
  );
  lastOf.set(thing, ended);
  try {
    return await turn;
  } finally {
    if (lastOf.get(thing) === ended) lastOf.delete(thing);
  }
}
