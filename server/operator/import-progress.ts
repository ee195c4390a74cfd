import { printBytes } from './progress.ts';

export type ImportProgress = {
  /** One more package, of so many bytes. */
  step(bytes: number): void;
  stop(): void;
};

/** On a terminal the line is written over each second; elsewhere, in a log, short runs are quiet. */
const terminalMs = 1_000;
const logMs = 15_000;

/** Tells on stderr how far it is: packages of how many, bytes, rate. */
export function createImportProgress(
  stderr: NodeJS.WritableStream & { readonly isTTY?: boolean },
  does: string,
  total?: number,
): ImportProgress {
  const begin = performance.now();
  const isTerminal = stderr.isTTY === true;
  let count = 0;
  let bytes = 0;

  function tell(): void {
    const seconds = (performance.now() - begin) / 1_000;
    const rate = bytes > 0 ? `, ${printBytes(bytes)}, ${printBytes(bytes / seconds)}/s` : '';
    const text = `${does}: ${count}${total === undefined ? '' : ` of ${total}`}${rate}`;
    stderr.write(isTerminal ? `\r\u001b[K${text}` : `${text}\n`);
  }

  const timer = setInterval(tell, isTerminal ? terminalMs : logMs);
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
