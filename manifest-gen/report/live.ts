import { columns } from '../../formats/for-terminal.ts';

export type Terminal = NodeJS.WritableStream & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
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
/** A pause is reported each second; when the reports stop, it is over. */
const waitEndsMs = 1_500;
/** More lines would push the output off the screen. */
const maxLines = 8;

/** What is in progress: on a terminal one line a file that is overwritten, in a log a line now and then. */
export function createLive(stderr: Terminal, now: () => number) {
  const isTerminal = stderr.isTTY === true;
  const transfers = new Map<string, Transfer>();
  const waits = new Map<string, { readonly line: string; readonly toldMs: number }>();
  let toldMs = now();
  let shownLines = 0;

  const clear = (): void => {
    if (shownLines > 0) stderr.write(`\r\x1b[2K${'\x1b[1A\x1b[2K'.repeat(shownLines - 1)}`);
    shownLines = 0;
  };
  const draw = (running: readonly Transfer[]): void => {
    const pauses = [...waits.values()].filter((wait) => now() - wait.toldMs < waitEndsMs);
    const room = Math.max(1, Math.min(maxLines, (stderr.rows ?? maxLines + 1) - 1));
    const lines = [...linesOf(running, now()), ...pauses.map(({ line }) => line)].slice(0, room);
    const width = Math.max(20, (stderr.columns ?? 120) - 1);
    if (shownLines === 0) stderr.write('\r\x1b[2K');
    clear();
    stderr.write(lines.map((line) => line.slice(0, width)).join('\n'));
    shownLines = lines.length;
  };

  return {
    /** Takes the lines off the terminal, before another one is written. */
    clear,
    progress(tool: string, what: string, doneBytes: number, totalBytes: number | undefined): void {
      const key = `${tool} ${what}`;
      const begun = { tool, what, beginMs: now(), beginBytes: doneBytes, isShown: false };
      const transfer: Transfer = transfers.get(key) ?? { ...begun, doneBytes, totalBytes };
      Object.assign(transfer, { doneBytes, totalBytes });
      transfers.set(key, transfer);
      const running = [...transfers.values()];
      const isEnd = doneBytes === totalBytes;
      if (isEnd) transfers.delete(key);
      // the end is always reported, or the last line would say 3 % forever
      const isDue = now() - toldMs >= (isTerminal ? terminalMs : logMs);
      if (!isDue && !(isEnd && transfer.isShown)) return;
      toldMs = now();
      if (isTerminal) {
        draw(running);
        for (const one of running) one.isShown = true;
      } else {
        stderr.write(`${linesOf([transfer], now()).join('')}\n`);
        transfer.isShown = true;
      }
    },
    waiting(tool: string, why: string, leftMs: number): void {
      const line = `${tool}  waits     ${Math.ceil(leftMs / 1000)} s for ${why}`;
      const lastMs = waits.get(tool)?.toldMs ?? Number.NEGATIVE_INFINITY;
      if (!isTerminal && now() - lastMs < waitMs) return;
      waits.set(tool, { line, toldMs: now() });
      if (isTerminal) draw([...transfers.values()]);
      else stderr.write(`${line}\n`);
    },
  };
}

/** `delve  dlv.zip  1.0 MB of 3.0 MB, 33 %, 2.1 MB/s, 1 s left`, under each other in columns. */
function linesOf(transfers: readonly Transfer[], nowMs: number): readonly string[] {
  if (transfers.length === 0) return [];
  return columns(transfers.map((one) => [one.tool, one.what, stateOf(one, nowMs)])).split('\n');
}

function stateOf(transfer: Transfer, nowMs: number): string {
  const { doneBytes, totalBytes } = transfer;
  const amount = totalBytes
    ? [`${size(doneBytes)} of ${size(totalBytes)}`, `${Math.floor((100 * doneBytes) / totalBytes)} %`]
    : [size(doneBytes)];
  const { rate, leftS } = speedOf(transfer, nowMs);
  const left = leftS !== undefined && leftS > 0 ? [`${leftS} s left`] : [];
  return [...amount, ...(rate === undefined ? [] : [`${size(rate)}/s`]), ...left].join(', ');
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

function size(bytes: number): string {
  return bytes < 100_000 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
