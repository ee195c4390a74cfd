import { styleText } from 'node:util';
import type { ReleaseError } from '../../errors/release-error.ts';
import { cellForTerminal, columns } from '../../formats/for-terminal.ts';
import { describeChange } from '../../vulnerabilities/change.ts';
import { describeReleasedBy } from '../published/feed/audit-log.ts';
import { inWords, nextInWords, sourceInWords } from './reasons.ts';
import type { PlanRow, StatusRow } from './report.ts';
import { rolloutInShort } from './rollout.ts';

type Color = 'bold' | 'dim' | 'gray' | 'green' | 'red' | 'yellow';

/** A text in a colour; plain where colours are off. */
export type Paint = (color: Color, text: string) => string;

/** Colours are for terminals, unless NO_COLOR is set (https://no-color.org). */
export function createPaint(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): Paint {
  const isColored = stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
  // Node itself would look at the stream of this process, not at ours
  return isColored ? (color, text) => styleText(color, text, { validateStream: false }) : (_, text) => text;
}

/** What a verb will do: a line for each tool, and below it what would make the line too long. */
export function planTable(rows: readonly PlanRow[], paint: Paint): string {
  const heads = ['tool', 'upstream', 'beta', 'main', 'plan'];
  const cells = rows.map((row) => [
    row.tool,
    row.upstream ?? '-',
    row.beta ?? '-',
    row.main ?? '-',
    `${row.does === 'nothing' ? 'nothing' : `${row.does} ${row.to}`}: ${inWords(row.why)}`,
  ]);
  const [head = '', ...lines] = columns([heads, ...cells]).split('\n');
  const painted = rows.flatMap((row, at) => [
    paint(row.does === 'nothing' ? 'gray' : 'bold', lines[at] ?? ''),
    ...(row.does === 'nothing' ? [] : detailLines(row, paint)),
  ]);
  return [paint('dim', head), ...painted].join('\n');
}

function detailLines(row: PlanRow, paint: Paint): string[] {
  const details = [
    // of a promotion: text by whoever pushed the beta
    ['source', cellForTerminal(sourceInWords(row.source))],
    ['evidence', row.evidence.join(', ')],
    ['released by', row.releasedBy === undefined ? '' : cellForTerminal(describeReleasedBy(row.releasedBy))],
    ['vulnerabilities', vulnerabilities(row, paint)],
    ['notes', row.notes ?? ''],
  ] as const;
  return details
    .filter(([, text]) => text !== '')
    .map(([name, text]) => `  ${paint('dim', name.padEnd(15))}  ${text}`);
}

function vulnerabilities({ vulnerabilities: change }: PlanRow, paint: Paint): string {
  if (change === undefined) return '';
  const text = describeChange(change);
  if (change.gained.length > 0) return paint('red', text);
  return change.lost.length > 0 ? paint('green', text) : text;
}

/** The state of the tools, and below each the beta that waits, and what an interruption left half done. */
export function statusTable(
  rows: readonly StatusRow[],
  paint: Paint,
  sentenceOf: (error: ReleaseError) => string,
): string {
  // most feeds never have one
  const hasRollouts = rows.some(({ rollout }) => rollout !== undefined);
  const heads = ['tool', 'upstream', 'beta', 'main', ...(hasRollouts ? ['rollout'] : []), 'a run would'];
  const cells = rows.map((row) => [
    ...[row.tool, row.upstream, row.beta, row.main],
    ...(hasRollouts ? [rolloutsInShort(row)] : []),
    nextInWords(row.next, sentenceOf),
  ]);
  const [head = '', ...lines] = columns([heads, ...cells]).split('\n');
  const painted = rows.flatMap((row, at) => [
    paint(colorOf(row), lines[at] ?? ''),
    ...(row.promotable === undefined
      ? []
      : [`  can be promoted: ${row.promotable}, by \`release:promote ${row.tool}\``]),
    ...(row.unfinished ?? []).map((sentence) => `  ${paint('yellow', `half done: ${sentence}`)}`),
  ]);
  return [paint('dim', head), ...painted].join('\n');
}

function rolloutsInShort({ rollout, pendingRollout }: StatusRow): string {
  const open = [rollout, pendingRollout].filter((one) => one !== undefined);
  return open.length === 0 ? '-' : open.map(rolloutInShort).join('; ');
}

function colorOf({ next: { does } }: StatusRow): Color {
  if (does === 'fail') return 'red';
  return does === 'nothing' ? 'green' : 'yellow';
}
