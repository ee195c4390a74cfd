const lastOf = new Map<string, Promise<void>>();

/** Runs tasks on the same key one after the other, on different keys at once: two tools of a run may need the same file. */
export async function inTurn<T>(thing: string, work: () => Promise<T>): Promise<T> {
  const turn = (lastOf.get(thing) ?? Promise.resolve()).then(work);
  // its outcome concerns its own caller, not the next one
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
