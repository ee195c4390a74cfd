export type HostFailure = {
  readonly host: string;
  readonly failed: string;
  /** Nothing at all came back. */
  readonly isSilent: boolean;
};

export type SilentHosts = ReturnType<typeof createSilentHosts>;

const goodForMs = 60_000;

type Note = HostFailure & { readonly atMs: number };

/**
 * What a run knows about the hosts it uses. The first request to a silent host uses all retries; the others wait for its result
 * and use it for a minute, since a first release takes longer and a cable may be plugged in. A host that has answered in this run
 * never counts as silent: every request uses its own retries.
 */
export function createSilentHosts(now: () => number = Date.now) {
  /** Undefined if the host was asked and is not silent; otherwise why there was no answer. */
  const known = new Map<string, Promise<Note | undefined>>();
  const answering = new Set<string>();
  const noteOf = (failure: HostFailure): Note | undefined =>
    failure.isSilent ? { ...failure, atMs: now() } : undefined;
  const isFresh = (note: Note | undefined): note is Note =>
    note !== undefined && now() - note.atMs < goodForMs;

  return {
    hasAnswered: (host: string) => answering.has(host),
    /** The silence of a host, where it is known. */
    async find(host: string): Promise<HostFailure | undefined> {
      const note = await known.get(host);
      return isFresh(note) ? note : undefined;
    },
    /** @param question calls `answered` as soon as anything comes back, from this host or from one that it was sent on to */
    async ask<T extends object>(
      host: string,
      question: (answered: (host: string) => void) => Promise<T | HostFailure>,
    ): Promise<T | HostFailure> {
      // not awaited if there is nothing to wait for: of several simultaneous callers only one may be the first
      const before = known.get(host);
      const note = before === undefined ? undefined : await before;
      if (isFresh(note)) return note;
      let endWaiting = (): void => {};
      const answer = new Promise<undefined>((resolve) => {
        endWaiting = () => resolve(undefined);
      });
      const asked = question((who) => {
        answering.add(who);
        if (who === host) endWaiting();
      }).then((result) =>
        isHostFailure(result) && answering.has(result.host) ? { ...result, isSilent: false } : result,
      );
      const outcome = asked.then(
        (result) => (isHostFailure(result) && result.host === host ? noteOf(result) : undefined),
        // an interruption says nothing about the host
        () => undefined,
      );
      if (before === undefined || note !== undefined) known.set(host, Promise.race([answer, outcome]));
      const result = await asked;
      const silence = isHostFailure(result) ? noteOf(result) : undefined;
      if (silence !== undefined) known.set(silence.host, Promise.resolve(silence));
      return result;
    },
  };
}

export function isHostFailure(result: object): result is HostFailure {
  return 'failed' in result;
}

/**
 * Runs a program that would wait forever, or for minutes, for a host that accepts the connection and never answers. If it has not
 * ended after a while, we probe the host, and end the program if there is no answer.
 */
export async function whileAnswered<T>(
  signal: AbortSignal,
  afterMs: number,
  probe: () => Promise<HostFailure | undefined>,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T | HostFailure> {
  const end = new AbortController();
  let silence: HostFailure | undefined;
  const timer = setTimeout(() => {
    probe().then(
      (found) => {
        silence = found;
        if (found !== undefined) end.abort();
      },
      // what ends the probe ends the run, too, and that one says so
      () => {},
    );
  }, afterMs);
  try {
    return await run(AbortSignal.any([signal, end.signal]));
  } catch (error) {
    if (silence === undefined || signal.aborted) throw error;
    return silence;
  } finally {
    clearTimeout(timer);
  }
}
