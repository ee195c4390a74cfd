import type { Postgres, Session } from './postgres.ts';

export type KeptSession = {
  /** The same connection as long as it can be used. @throws FeedError DATABASE_UNREACHABLE, DATABASE_REFUSED */
  open(): Promise<Session>;
  /** For good: a connection that is being opened is closed, too. */
  close(): void;
};

/** A connection that is opened when it is needed, and again when it broke. */
export function keepSession(postgres: Pick<Postgres, 'connect'>): KeptSession {
  let kept: Session | undefined;
  let isClosed = false;
  return {
    async open() {
      if (kept?.isOpen() === true) return kept;
      const opened = await postgres.connect();
      if (isClosed) opened.close();
      kept = opened;
      return opened;
    },
    close() {
      isClosed = true;
      kept?.close();
    },
  };
}
