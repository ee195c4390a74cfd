import { columns } from '../../formats/for-terminal.ts';
import { cell, row, withCode } from '../../formats/markdown.ts';
import { isGap, isOfExe } from '../../vulnerabilities/gaps.ts';
import { judgedInWords } from '../../vulnerabilities/in-words.ts';
import type { Judged } from '../../vulnerabilities/policy.ts';
import type { WatchRow } from './report.ts';

/** What release:check found, for a terminal. */
export function checkText(rows: readonly WatchRow[]): string {
  const table = columns([
    ['tool', 'main', 'upstream', 'known vulnerabilities'],
    ...rows.map((row) => [row.tool, row.main ?? '-', upstreamCell(row), countCell(row)]),
  ]);
  const parts = rows.flatMap((row) => {
    const lines = [
      ...[...row.gaps, ...(row.vulnerabilities ?? [])].map((one) => `  ${judgedInWords(one)}`),
      ...row.next.map((step) => `  -> ${step}`),
    ];
    return lines.length === 0 ? [] : ['', row.tool, ...lines];
  });
  return [table, ...parts].join('\n');
}

/** The same as a page for an issue or a chat. */
export function checkMarkdown(rows: readonly WatchRow[]): string {
  const overview = [
    '| tool | main | upstream | known vulnerabilities | to do |',
    '| --- | --- | --- | --- | --- |',
    ...rows.map((one) => {
      const found = [one.tool, one.main ?? '-', upstreamCell(one), countCell(one)].map(cell);
      return row([...found, one.next.map(withCode).join(' ') || 'nothing']);
    }),
  ];
  const details = rows.flatMap(({ tool, main, gaps, vulnerabilities = [] }) =>
    vulnerabilities.length + gaps.length === 0
      ? []
      : [
          '',
          `## ${cell(`${tool} ${main}`)}`,
          '',
          '| id | module | found | fixed | policy | what |',
          '| --- | --- | --- | --- | --- | --- |',
          ...[...gaps, ...vulnerabilities].map((one) => {
            const { id, module, found, fixed = isGap(one) ? '' : 'not yet', verdict, because, summary } = one;
            const names = [id, ...one.aliases].join(', ');
            return row([names, module, found, fixed, `${verdict}: ${because}`, summary].map(cell));
          }),
        ],
  );
  return `${['# What main offers', '', ...overview, ...details].join('\n')}\n`;
}

function upstreamCell({ upstream, isOutdated }: WatchRow): string {
  if (upstream === undefined) return '?';
  return isOutdated ? `${upstream} (newer)` : upstream;
}

function countCell({ main, vulnerabilities, unknown, gaps }: WatchRow): string {
  if (main === undefined) return '-';
  if (vulnerabilities === undefined) return 'not looked for';
  const ids = new Set(vulnerabilities.map(({ id }) => id)).size;
  const count = (verdict: Judged['verdict']): number =>
    new Set(vulnerabilities.filter((one) => one.verdict === verdict).map(({ id }) => id)).size;
  const parts = [
    ...(['allowed', 'below'] as const).flatMap((verdict) =>
      count(verdict) === 0 ? [] : [`${count(verdict)} ${verdict === 'below' ? 'below the policy' : verdict}`],
    ),
    ...gaps.filter(isOfExe).map(({ summary }) => summary),
    ...(unknown.length === 0 ? [] : [`${unknown.length} modules of unknown version`]),
  ];
  return parts.length === 0 ? String(ids) : `${ids} (${parts.join(', ')})`;
}
