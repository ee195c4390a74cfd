import type { ReleaseError, ReleaseErrorCode } from '../../errors/release-error.ts';
import { fill } from '../../formats/fill.ts';
import { columns, forTerminal } from '../../formats/for-terminal.ts';
import { checkText } from './check.ts';
import { createLive, type Terminal } from './live.ts';
import type { CheckRow, CommandReport } from './report.ts';
import { rolloutTable } from './rollout.ts';
import { createPaint, planTable, statusTable } from './table.ts';

export type LineOptions = {
  readonly isQuiet: boolean;
  /** For NO_COLOR and TERM. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly now?: () => number;
};

/** Where the reason has been given already. */
const shortSentences: Partial<Record<ReleaseErrorCode, string>> = {
  SOURCE_UNREACHABLE: '{tool} {version}: source {kind} cannot be reached, for the same reason.',
  VULN_DB_UNREACHABLE: 'The vulnerability database cannot be reached, for the same reason.',
};

/**
 * For people: plan, steps and progress on stderr, what came of it on stdout. Quiet leaves warnings and failures.
 * On a terminal the progress is one line that is written over; in a log it is a line every few seconds.
 */
export function createLineReport(stdout: Terminal, stderr: Terminal, options: LineOptions): CommandReport {
  const now = options.now ?? Date.now;
  const live = createLive(stderr, now);
  const env = options.env ?? {};
  const builds = new Map<string, string[]>();
  const silentHosts = new Set<string>();

  const write = (stream: Terminal, text: string): void => {
    live.clear();
    stream.write(`${text}\n`);
  };
  const tell = (text: string): void => {
    if (!options.isQuiet) write(stderr, text);
  };

  /** One dead host is the fault of many tools, and named once. */
  const sentenceOf = ({ code, message, details }: ReleaseError): string => {
    const { silentHost } = details;
    if (typeof silentHost !== 'string') return message;
    const short = silentHosts.has(silentHost) ? shortSentences[code] : undefined;
    silentHosts.add(silentHost);
    return short === undefined ? message : forTerminal(fill(short, details));
  };

  return {
    step: (tool, step, detail) => tell(forTerminal(`${tool}  ${step.padEnd(8)}  ${detail ?? ''}`).trimEnd()),
    progress(tool, what, doneBytes, totalBytes) {
      if (!options.isQuiet) live.progress(tool, what, doneBytes, totalBytes);
    },
    waiting(tool, why, leftMs) {
      if (!options.isQuiet) live.waiting(tool, why, leftMs);
    },
    output(tool, line) {
      // a compiler's chatter is of interest only when it fails, and then its end is
      builds.set(tool, [...(builds.get(tool) ?? []).slice(-199), forTerminal(line)]);
    },
    warn: (tool, sentence) => write(stderr, forTerminal(`${tool}  warning: ${sentence}`)),
    plan(rows) {
      if (rows.length > 0) tell(planTable(rows, createPaint(stderr, env)));
    },
    outcome({ tool, version, kind, detail, recovery = [], page }) {
      if (options.isQuiet) return;
      const did = kind === 'nothing' ? 'nothing to do' : kind;
      const more = page === undefined ? recovery : [`how testers install it: ${page}`, ...recovery];
      const lines = [`${tool} ${version}: ${did}, ${detail}`, ...more.map((line) => `  ${line}`)];
      write(stdout, forTerminal(lines.join('\n')));
    },
    failed(tool, error) {
      for (const line of builds.get(tool) ?? []) write(stderr, `${tool}  | ${line}`);
      write(stderr, `${tool}  failed: ${sentenceOf(error)}\n  ${error.hint}`);
    },
    checks(rows) {
      const words = { passed: 'passed', failed: 'FAILED', unreachable: 'not repeated', skipped: 'skipped' };
      const isTold = (verdict: CheckRow['verdict']): boolean =>
        !options.isQuiet || verdict === 'failed' || verdict === 'unreachable';
      const told = rows.filter(({ verdict }) => isTold(verdict));
      if (told.length === 0) return;
      const head = ['tool', 'version', 'verdict', 'what', 'of', ''];
      const cells = told.map((row) => [
        row.tool,
        row.version,
        words[row.verdict],
        row.what,
        row.subject,
        row.detail,
      ]);
      write(stdout, forTerminal(columns([head, ...cells])));
    },
    status: (rows) => write(stdout, statusTable(rows, createPaint(stdout, env), sentenceOf)),
    watch: (rows) => write(stdout, forTerminal(checkText(rows))),
    rollouts(rows, { notes = [], isAsked = false } = {}) {
      const lines = [rolloutTable(rows), ...notes.map((note) => `  ${note}`)];
      if (isAsked || !options.isQuiet) write(stdout, forTerminal(lines.join('\n')));
    },
  };
}
