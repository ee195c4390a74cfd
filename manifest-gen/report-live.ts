export type Terminal = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** What is under way right now, of all tools: one line that is written over on a terminal, in a log a line now and then. */
export type Live = {
  progress(tool: string, what: string, doneBytes: number, totalBytes: number | undefined): void;
  waiting(tool: string, why: string, leftMs: number): void;
  /** Takes the line off the terminal, before another one is written. */
  clear(): void;
};

type Transfer = {
  readonly tool: string;
  readonly what: string;
  readonly beginMs: number;
  /** Not nothing where an earlier run began it. */
  readonly beginBytes: number;
  doneBytes: number;
  totalBytes: number | undefined;
  isShown: boolean;
};

const terminalMs = 100;
const logMs = 5_000;
const waitMs = 30_000;

export function createLive(stderr: Terminal, now: () => number): Live {
  const isTerminal = stderr.isTTY === true;
  const transfers = new Map<string, Transfer>();
  const waitToldMs = new Map<string, number>();
  let toldMs = now();
  let isLineShown = false;

  const clear = (): void => {
    if (isLineShown) stderr.write('\r\x1b[2K');
    isLineShown = false;
  };
  const show = (text: string): void => {
    if (!isTerminal) return void stderr.write(`${text}\n`);
    stderr.write(`\r\x1b[2K${text.slice(0, Math.max(20, (stderr.columns ?? 120) - 1))}`);
    isLineShown = true;
  };

  return {
    clear,
    progress(tool, what, doneBytes, totalBytes) {
      const key = `${tool} ${what}`;
      const begun = { tool, what, beginMs: now(), beginBytes: doneBytes, isShown: false };
      const transfer: Transfer = transfers.get(key) ?? { ...begun, doneBytes, totalBytes };
      Object.assign(transfer, { doneBytes, totalBytes });
      transfers.set(key, transfer);
      const isEnd = doneBytes === totalBytes;
      if (isEnd) transfers.delete(key);
      // the end of what was shown is told in any case, or its last line would say 3 % for ever
      const isDue = now() - toldMs >= (isTerminal ? terminalMs : logMs);
      if (!isDue && !(isEnd && transfer.isShown)) return;
      toldMs = now();
      transfer.isShown = true;
      const others = [...transfers.values()].filter((one) => one !== transfer);
      if (isTerminal && others.length > 0 && !isEnd) {
        show([...transfers.values()].map((one) => shortLine(one, now())).join(' | '));
      } else {
        show(longLine(transfer, now()));
      }
    },
    waiting(tool, why, leftMs) {
      const isDue = now() - (waitToldMs.get(tool) ?? Number.NEGATIVE_INFINITY) >= waitMs;
      if (!isTerminal && !isDue) return;
      waitToldMs.set(tool, now());
      show(`${tool}  waits     ${Math.ceil(leftMs / 1000)} s for ${why}`);
    },
  };
}

/** `delve  dlv.zip  1.0 MB of 3.0 MB, 33 %, 2.1 MB/s, 1 s left` */
function longLine({ tool, what, doneBytes, totalBytes, ...begin }: Transfer, nowMs: number): string {
  const amount = totalBytes
    ? [`${mb(doneBytes)} of ${mb(totalBytes)}`, percent(doneBytes, totalBytes)]
    : [mb(doneBytes)];
  const { rate, leftS } = speedOf({ doneBytes, totalBytes, ...begin }, nowMs);
  const left = leftS !== undefined && leftS > 0 ? [`${leftS} s left`] : [];
  return `${tool}  ${what}  ${[...amount, ...(rate === undefined ? [] : [`${mb(rate)}/s`]), ...left].join(', ')}`;
}

/** `delve 33 %, 4 s` */
function shortLine(transfer: Transfer, nowMs: number): string {
  const { tool, doneBytes, totalBytes } = transfer;
  const { leftS } = speedOf(transfer, nowMs);
  const amount = totalBytes ? percent(doneBytes, totalBytes) : mb(doneBytes);
  return `${tool} ${amount}${leftS === undefined ? '' : `, ${leftS} s`}`;
}

/** Bytes a second of this run, once a second of it is over; before, it would be a guess. */
function speedOf(
  { beginMs, beginBytes, doneBytes, totalBytes }: Omit<Transfer, 'tool' | 'what' | 'isShown'>,
  nowMs: number,
): { readonly rate?: number; readonly leftS?: number } {
  const seconds = (nowMs - beginMs) / 1000;
  const rate = seconds >= 1 ? (doneBytes - beginBytes) / seconds : 0;
  if (rate <= 0) return {};
  return totalBytes ? { rate, leftS: Math.ceil((totalBytes - doneBytes) / rate) } : { rate };
}

function mb(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

function percent(doneBytes: number, totalBytes: number): string {
  return `${Math.floor((100 * doneBytes) / totalBytes)} %`;
}
