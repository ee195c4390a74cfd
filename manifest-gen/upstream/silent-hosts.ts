/** Why an answer could not be had of a host. */
export type HostFailure = {
  readonly host: string;
  readonly failed: string;
  /** Nothing at all came back. */
  readonly isSilent: boolean;
};

/**
 * What a run knows of the hosts it asks. One at which nobody answers is asked by the first that wants something of it, as long as
 * patience lasts; all others wait for what comes of that, and take its word for a minute: a first release takes longer, and a cable
 * may be plugged in.
 */
export type SilentHosts = {
  /** @param question calls `answered` as soon as anything comes back; the host that failed may be one it was sent on to */
  ask<T extends object>(
    host: string,
    question: (answered: () => void) => Promise<T | HostFailure>,
  ): Promise<T | HostFailure>;
  /** The silence of a host, where it is known. */
  find(host: string): Promise<HostFailure | undefined>;
};

const goodForMs = 60_000;

type Note = HostFailure & { readonly atMs: number };

export function createSilentHosts(now: () => number = Date.now): SilentHosts {
  /** Undefined as soon as anything came back from there; else why nothing did. */
  const known = new Map<string, Promise<Note | undefined>>();
  const noteOf = (result: object): Note | undefined =>
    isHostFailure(result) && result.isSilent ? { ...result, atMs: now() } : undefined;
  const isFresh = (note: Note | undefined): note is Note =>
    note !== undefined && now() - note.atMs < goodForMs;

  return {
    async find(host) {
      const note = await known.get(host);
      return isFresh(note) ? note : undefined;
    },
    async ask(host, question) {
      // not awaited where there is nothing to wait for: of several that come at once only one may be the first
      const before = known.get(host);
      const note = before === undefined ? undefined : await before;
      if (isFresh(note)) return note;
      let answered = (): void => {};
      const answer = new Promise<undefined>((resolve) => {
        answered = () => resolve(undefined);
      });
      const asked = question(() => answered());
      if (before === undefined || note !== undefined) {
        const outcome = asked.then(
          (result) => (isHostFailure(result) && result.host === host ? noteOf(result) : undefined),
          // an interruption says nothing of the host
          () => undefined,
        );
        known.set(host, Promise.race([answer, outcome]));
      }
      const result = await asked;
      const silence = noteOf(result);
      if (silence !== undefined) known.set(silence.host, Promise.resolve(silence));
      return result;
    },
  };
}

export function isHostFailure(result: object): result is HostFailure {
  return 'failed' in result;
}
