import type { Attempt } from './persist.ts';

/**
 * What a run knows of the hosts it asks. One at which nobody answers is asked by the first that wants something of it, as long as
 * patience lasts; all others wait for what comes of that, and take its word for a minute: a first release takes longer, and a cable
 * may be plugged in.
 */
export type SilentHosts = {
  ask<T>(host: string, persistently: () => Promise<Attempt<T>>): Promise<Attempt<T>>;
};

const goodForMs = 60_000;

export function createSilentHosts(now: () => number = Date.now): SilentHosts {
  /** Undefined as soon as anything came back from there; else the reason why nothing did. */
  const known = new Map<string, Promise<{ readonly reason: string; readonly atMs: number } | undefined>>();
  return {
    async ask(host, persistently) {
      const before = known.get(host);
      const silence = before === undefined ? undefined : await before;
      if (silence !== undefined && now() - silence.atMs < goodForMs)
        return { failed: silence.reason, isSilent: true };
      const asked = persistently();
      if (before !== undefined && silence === undefined) return asked;
      known.set(
        host,
        asked.then(
          (result) =>
            'failed' in result && result.isSilent ? { reason: result.failed, atMs: now() } : undefined,
          // an interruption says nothing of the host
          () => undefined,
        ),
      );
      return asked;
    },
  };
}
