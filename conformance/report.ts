import type { Level } from './check.ts';
import type { Result } from './suite.ts';

/** One object per line: what a check found. */
export function printJson({ check, outcome }: Result): string {
  const { id, section, title, level, breaks } = check;
  return JSON.stringify({ id, section, title, level, breaks, ...outcome });
}

/** A check that does not hold, for a person: five lines. */
export function printFailure({ check, outcome }: Result): string {
  if (outcome.verdict !== 'failed') return '';
  const { id, section, title, level, breaks } = check;
  return [
    `${level.toUpperCase().padEnd(6)} ${section.padEnd(5)} ${id}: ${title}`,
    `       expected  ${oneLine(outcome.expected)}`,
    `       found     ${oneLine(outcome.found)}`,
    `       request   ${oneLine(outcome.request, 1000)}`,
    `       breaks    ${breaks}`,
  ].join('\n');
}

type Row = { held: number; failed: Record<Level, number>; skipped: number; breaks: Set<string> };

/** The table by section, with the clients that the failures hit. */
export function printTable(results: readonly Result[]): string {
  const rows = new Map<string, Row>();
  for (const { check, outcome } of results) {
    const row = rows.get(check.section) ?? {
      held: 0,
      failed: { must: 0, should: 0, may: 0 },
      skipped: 0,
      breaks: new Set(),
    };
    rows.set(check.section, row);
    if (outcome.verdict === 'passed') row.held += 1;
    if (outcome.verdict === 'skipped') row.skipped += 1;
    if (outcome.verdict === 'failed') {
      row.failed[check.level] += 1;
      for (const client of clientsOf(check.breaks)) row.breaks.add(client);
    }
  }
  const lines = [...rows]
    .sort(([a], [b]) => compareSections(a, b))
    .map(([section, row]) => line(section, row));
  return [
    `section  holds   must  should  may   skipped  would break`,
    ...lines,
    line('all', total([...rows.values()])),
  ].join('\n');
}

function line(section: string, { held, failed, skipped, breaks }: Row): string {
  const cells = [
    section.padEnd(9),
    count(held, 8),
    count(failed.must, 6),
    count(failed.should, 8),
    count(failed.may, 6),
    count(skipped, 9),
  ];
  return (cells.join('') + (section === 'all' ? '' : [...breaks].join(', '))).trimEnd();
}

function count(number: number, width: number): string {
  return (number === 0 ? '-' : String(number)).padEnd(width);
}

function total(rows: readonly Row[]): Row {
  const sum = (of: (row: Row) => number): number => rows.reduce((all, row) => all + of(row), 0);
  return {
    held: sum(({ held }) => held),
    failed: {
      must: sum((row) => row.failed.must),
      should: sum((row) => row.failed.should),
      may: sum((row) => row.failed.may),
    },
    skipped: sum(({ skipped }) => skipped),
    breaks: new Set(),
  };
}

const clients = [
  'choco 2.x',
  'choco 1.x',
  'choco 0.10.15',
  'nuget.exe',
  'PowerShellGet',
  'PSResourceGet',
  'WCF',
  'choco',
  'the feed',
];

/** Which of the clients a text names; plain `choco` only where no version of it is named. */
function clientsOf(breaks: string): string[] {
  const named = clients.filter((client) => breaks.includes(client));
  return named.some((client) => client.startsWith('choco '))
    ? named.filter((client) => client !== 'choco')
    : named;
}

function compareSections(a: string, b: string): number {
  const [x = 0, y = 0] = [a, b].map((text) =>
    text.split('.').reduce((sum, part, at) => sum + Number(part) / 100 ** at, 0),
  );
  return x - y;
}

/** Whatever a feed sent, on one line of a terminal. */
function oneLine(text: string, maxLength = 300): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').trim();
  return plain.length > maxLength ? `${plain.slice(0, maxLength)} ...` : plain;
}
