import type { Logger } from '../log.ts';
import { longestTickMs } from './hold.ts';
import type { Rollouts } from './rollouts.ts';

/** Three times within the longest gap that still counts as running. */
const tickMs = longestTickMs / 3;

export type RolloutRunner = {
  start(): void;
  /** Resolves when nothing is written any more. */
  stop(): Promise<void>;
};

/** Lets the time of rollouts pass while the server runs. What a tick could not do, the next one tries again. */
export function createRolloutRunner(
  { rollouts, log }: { readonly rollouts: Pick<Rollouts, 'tick'>; readonly log: Logger },
  everyMs: number | undefined = tickMs,
): RolloutRunner {
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();

  async function tick(): Promise<void> {
    try {
      for (const { tool, version, state, step } of await rollouts.tick()) {
        log.info({ tool, version, state, step: step + 1 }, 'rollout went on');
      }
    } catch (error) {
      log.error({ err: error }, 'rollouts did not go on');
    }
  }

  return {
    start() {
      timer ??= setInterval(() => {
        running = running.then(tick);
      }, everyMs).unref();
      running = running.then(tick);
    },
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
