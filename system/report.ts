/**
 * What a release reports while it works. People read it on stderr; with --json the same events are one object per line on stdout.
 * Implementations: `report/lines.ts` (people), `report/json.ts` (machines).
 */
export interface Report {
  /** A step of the recipe begins or ends: `step('delve', 'download', 'dlv_1.26.3_windows_amd64.zip')`. */
  step(tool: string, step: string, detail?: string): void;
  /** Bytes so far of a long transfer; `totalBytes` is undefined when the sender does not say. Cheap to call often. */
  progress(tool: string, what: string, doneBytes: number, totalBytes: number | undefined): void;
  /** Called each second of a pause that somebody else asks for. */
  waiting(tool: string, why: string, leftMs: number): void;
  /** One line of a program that runs for long (the Go compiler); shown when it fails. */
  output(tool: string, line: string): void;
  /** Something a person must know that is not an error. */
  warn(tool: string, sentence: string): void;
}
