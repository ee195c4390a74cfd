import { printBytes } from './print.ts';

/** The amount of work, as far as it is known in advance. */
export type Total = { readonly packages?: number; readonly bytes?: number };

export type Progress = {
  /** Call it after each part: this many more bytes are done, or one more package if packages are counted. */
  step(bytes: number): void;
  /** Clears the line on a terminal. */
  stop(): void;
};

type Log = NodeJS.WritableStream & { readonly isTTY?: boolean };

/** On a terminal the line is rewritten each second. Elsewhere, as in a log, short runs print nothing. */
const terminalMs = 1_000;
const logMs = 15_000;

/** Prints the progress of long work on stderr: packages or percent, bytes, rate, time left. */
export function createProgress(stderr: Log, does: string, total: Total = {}): Progress {
  const begin = performance.now();
  const isTerminal = stderr.isTTY === true;
  let count = 0;
  let bytes = 0;
  const timer = setInterval(
    () => {
      const text = `${does}: ${printProgress({ count, bytes }, total, (performance.now() - begin) / 1_000)}`;
      stderr.write(isTerminal ? `\r\u001b[K${text}` : `${text}\n`);
    },
    isTerminal ? terminalMs : logMs,
  );
  return {
    step(more) {
      count += 1;
      bytes += more;
    },
    stop() {
      clearInterval(timer);
      if (isTerminal) stderr.write('\r\u001b[K');
    },
  };
}

/** Runs work that reports its progress. */
export async function withProgress<T>(
  stderr: Log,
  does: string,
  total: Total,
  work: (step: (bytes: number) => void) => Promise<T>,
): Promise<T> {
  const progress = createProgress(stderr, does, total);
  try {
    return await work(progress.step);
  } finally {
    progress.stop();
  }
}

/** `40 of 100, 1.5 MiB, 512 KiB/s, 12 s left`; `40 % of 3.0 GiB, 97 MiB/s, 19 s left` */
export function printProgress(
  done: { readonly count: number; readonly bytes: number },
  { packages, bytes }: Total,
  seconds: number,
): string {
  const share = bytes !== undefined ? done.bytes / Math.max(1, bytes) : done.count / (packages ?? 0);
  const isShareKnown = Number.isFinite(share) && share > 0 && share <= 1;
  const rate = done.bytes > 0 && seconds > 0 ? `${printBytes(done.bytes / seconds)}/s` : undefined;
  const parts =
    bytes !== undefined
      ? [`${Math.min(100, Math.floor(share * 100))} % of ${printBytes(bytes)}`]
      : [
          packages === undefined ? `${done.count}` : `${done.count} of ${packages}`,
          ...(done.bytes > 0 ? [printBytes(done.bytes)] : []),
        ];
  const left = isShareKnown ? `${Math.ceil((seconds * (1 - share)) / share)} s left` : undefined;
  return [...parts, rate, left].filter((part) => part !== undefined).join(', ');
}
