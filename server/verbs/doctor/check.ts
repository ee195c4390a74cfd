import type { Http } from '../../../outbound/http.ts';
import type { Config } from '../../config.ts';
import type { ServerFile } from '../../server-file.ts';

/** `skip`: it was not looked at, and that is no fault. */
type State = 'ok' | 'warn' | 'fail' | 'skip';

/** What a check found, in a sentence, and what to do about it. */
export type Finding = { readonly state: State; readonly says: string; readonly todo?: string };

export const ok = (says: string): Finding => ({ state: 'ok', says });
export const skip = (says: string, todo?: string): Finding => ({
  state: 'skip',
  says,
  ...(todo && { todo }),
});
export const warn = (says: string, todo: string): Finding => ({ state: 'warn', says, todo });
export const failed = (says: string, todo: string): Finding => ({ state: 'fail', says, todo });

/** One thing that `feed:doctor` looks at. */
export type Check = {
  readonly name: string;
  /** Checks without which this one has nothing to look at: it is skipped when one of them failed. */
  readonly needs?: readonly string[] | ((place: Pick<Place, 'server'>) => readonly string[]);
  /** Longer than this it is not waited for. */
  readonly limitMs?: number;
  /** An error that is thrown counts as failed, with its own sentence. */
  look(place: Place): Promise<Finding>;
};

/** The installation, as a check sees it. */
export type Place = {
  /** The settings of `serve`. */
  readonly config: Config;
  /** PUBLIC_URL, or where the server listens. */
  readonly publicUrl: string;
  /** The server that announced itself in DATA_DIR. */
  readonly server: ServerFile | undefined;
  /** The processes of this installation that could be found: of this machine, and those connected to PostgreSQL. */
  readonly instances: () => Promise<ReadonlySet<string>>;
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Follows no redirect, believes any certificate, and is given no secret. */
  readonly http: Http;
  /** Where to send a test alert. */
  readonly alertmanager: string | undefined;
  readonly now: () => Date;
  /** Aborted when the check takes too long, and by Ctrl-C. */
  readonly signal: AbortSignal;
};
