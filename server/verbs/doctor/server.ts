import * as z from 'zod';
import { messageOf } from '../../../formats/thrown.ts';
import { FeedError } from '../../errors.ts';
import type { ServerFile } from '../../server-file.ts';
import { reachServer, readJson } from '../ask-server.ts';
import { type Check, failed, ok, type Place, skip, warn } from './check.ts';

const Health = z.object({ version: z.string() });

/** Asked where it listens, with the key that only this machine has. */
export const server: Check = {
  name: 'server',
  async look(place) {
    const { server: announced, config, version } = place;
    if (announced === undefined) return notHere(config.databaseUrl !== undefined, config.dataDir);
    const isShared = config.databaseUrl !== undefined;
    if (announced.isShared === !isShared)
      return failed(
        `the server of ${config.dataDir} (process ${announced.pid}) ${isShared ? 'has its data there, not in the database of DATABASE_URL' : 'has its data in a database, and DATABASE_URL is not set here'}`,
        'run the doctor with the settings of the server',
      );
    const running = ofThisMachine(announced, place);
    try {
      const { version: its } = await readJson(running, 'healthz', Health);
      await running.ask('readyz');
      return its === version
        ? ok(`go-win-tools ${its} runs and is ready at ${announced.url} (process ${announced.pid})`)
        : warn(
            `go-win-tools ${its} runs at ${announced.url}, and this program is ${version}`,
            'restart the server, so that the installed version runs; or run the doctor of its version',
          );
    } catch (error) {
      if (error instanceof FeedError && error.code === 'SERVER_STRANGE')
        return failed(
          `an older go-win-tools, or another program, answers at ${announced.url}`,
          'restart the server',
        );
      return failed(
        `the server of ${config.dataDir} (process ${announced.pid}) does not serve: ${reasonOf(error)}`,
        'look into its log, and restart it when the process is gone',
      );
    }
  },
};

/** The reason alone: the sentence around it says what a verb that needs the server would do. */
function reasonOf(error: unknown): string {
  const { cause, reason } = error instanceof FeedError ? error.details : {};
  return String(cause ?? reason ?? messageOf(error));
}

function notHere(isShared: boolean, dataDir: string) {
  return isShared
    ? skip(`no server of this machine uses ${dataDir}; the others are looked at below`)
    : failed(
        `no server uses ${dataDir}: it is stopped, or DATA_DIR is another one`,
        'start it (docs/operate/service.md), or set DATA_DIR to the data folder of the server',
      );
}

const timeouts = { connectMs: 3_000, answerMs: 10_000 };

/** With the operator's key, which never leaves this machine. */
export function ofThisMachine(announced: ServerFile, { signal }: Pick<Place, 'signal'>) {
  return reachServer(announced, signal, timeouts);
}
