import { inWords, nextInWords, sourceInWords } from './reasons.ts';
import type { CommandReport } from './report.ts';

/**
 * For machines: one JSON object per line on stdout, nothing else (contract section 1, `--json`). stderr also says why a tool
 * failed, for readers of a job's log.
 */
export function createJsonReport(
  stdout: NodeJS.WritableStream,
  stderr: NodeJS.WritableStream,
  now = Date.now,
): CommandReport {
  const say = (event: string, fields: object): void => {
    stdout.write(`${JSON.stringify({ event, ...fields })}\n`);
  };
  const sayEach = (event: string, rows: readonly object[]): void => {
    for (const row of rows) say(event, row);
  };
  let lastProgressMs = 0;
  let lastWaitMs = 0;

  return {
    step: (tool, step, detail) => say('step', { tool, step, detail }),
    progress(tool, what, doneBytes, totalBytes) {
      // one a second, and always the end: a download of 60 MB is some thousand chunks
      if (now() - lastProgressMs < 1000 && doneBytes !== totalBytes) return;
      lastProgressMs = now();
      say('progress', { tool, what, doneBytes, totalBytes });
    },
    waiting(tool, why, leftMs) {
      if (now() - lastWaitMs < 30_000) return;
      lastWaitMs = now();
      say('waiting', { tool, why, leftMs });
    },
    output: (tool, line) => say('output', { tool, line }),
    warn: (tool, sentence) => say('warning', { tool, sentence }),
    plan(rows) {
      for (const row of rows) {
        say('plan', { ...row, source: sourceInWords(row.source), why: inWords(row.why) });
      }
    },
    outcome: (outcome) => say('outcome', outcome),
    failed(tool, { code, exitCode, message, hint }) {
      say('failed', { tool, code, exitCode, message, hint });
      // the caller reports what ends the whole verb
      if (tool !== '') stderr.write(`${tool}  failed: ${message}\n  ${hint}\n`);
    },
    checks: (rows) => sayEach('check', rows),
    status(rows) {
      for (const row of rows) say('status', { ...row, next: nextInWords(row.next) });
    },
    watch: (rows) => sayEach('watch', rows),
    rollouts: (rows) => sayEach('rollout', rows),
  };
}
