import type { Outcome } from '../feed/import.ts';
import type { RemotePackage, SkippedPackage } from '../import/source.ts';
import { printBytes } from './print.ts';

/** One line about one package or file; `kind` is the outcome. */
export type ImportLine = {
  readonly kind: Outcome['kind'] | SkippedPackage['kind'];
  readonly id?: string;
  readonly version?: string;
  readonly from: string;
  readonly sizeBytes?: number;
  /** What the scripts of an imported package name. */
  readonly addresses?: readonly string[];
  readonly reason?: string;
};

export type ImportReport = {
  add(line: ImportLine): void;
  count(kind: ImportLine['kind']): number;
  /** Prints for people why something was not imported. */
  reasons(): void;
  /** Prints reasons and numbers, for people or as the last line of JSON. */
  end(): void;
};

/** The number of lines per reason that people see; --json has all. */
const shownLines = 20;

const kinds = {
  imported: 'imported',
  there: 'here already',
  unlisted: 'here already, unlisted now as at the source',
  skipped: 'skipped',
  refused: 'refused',
  failed: 'failed',
} as const satisfies Record<ImportLine['kind'], string>;

/** Collects the outcome of everything. With `json`, each line is printed at once. */
export function createImportReport(stdout: NodeJS.WritableStream, json: boolean): ImportReport {
  const counts = new Map<ImportLine['kind'], number>();
  const lines: ImportLine[] = [];
  let bytes = 0;

  function add(line: ImportLine): void {
    counts.set(line.kind, (counts.get(line.kind) ?? 0) + 1);
    bytes += line.sizeBytes ?? 0;
    if (json) stdout.write(`${JSON.stringify(line)}\n`);
    else if (line.reason !== undefined || line.addresses !== undefined) lines.push(line);
  }

  function reasons(): void {
    if (!json) stdout.write(listReasons(lines.filter(({ reason }) => reason !== undefined)));
  }

  function end(): void {
    const numbers = Object.keys(kinds).map((kind) => [kind, counts.get(kind as ImportLine['kind']) ?? 0]);
    if (json) {
      stdout.write(`${JSON.stringify({ kind: 'end', ...Object.fromEntries(numbers), bytes })}\n`);
      return;
    }
    reasons();
    stdout.write(listDownloads(lines));
    for (const [kind, words] of Object.entries(kinds)) {
      const count = counts.get(kind as ImportLine['kind']) ?? 0;
      const size = kind === 'imported' && count > 0 ? ` (${printBytes(bytes)})` : '';
      if (count > 0 || kind === 'imported') stdout.write(`${String(count).padStart(8)} ${words}${size}\n`);
    }
  }

  return { add, count: (kind) => counts.get(kind) ?? 0, reasons, end };
}

export function lineOfOutcome({ kind, remote, sizeBytes, addresses, reason }: Outcome): ImportLine {
  return {
    ...lineOfPackage(remote),
    kind,
    ...(sizeBytes !== undefined && { sizeBytes }),
    ...(addresses?.length && { addresses }),
    ...(reason !== undefined && { reason }),
  };
}

export function lineOfPackage({ id, version, from }: RemotePackage) {
  return { id, version, from };
}

/** By reason, the first ones of each in full. */
function listReasons(lines: readonly ImportLine[]): string {
  const groups = new Map<string, ImportLine[]>();
  for (const line of lines) {
    const group = groups.get(`${line.kind}: ${line.reason}`) ?? [];
    group.push(line);
    groups.set(`${line.kind}: ${line.reason}`, group);
  }
  return [...groups].map(([head, group]) => listFirst(head, group.map(nameOf))).join('');
}

/** Packages that are here now, and yet may need the internet when they are installed. */
function listDownloads(lines: readonly ImportLine[]): string {
  const texts = lines.flatMap(({ id, version, addresses: [first, ...others] = [] }) =>
    first === undefined
      ? []
      : [`${id} ${version}: ${first}${others.length > 0 ? `, and ${others.length} more` : ''}`],
  );
  return texts.length === 0
    ? ''
    : listFirst('imported, with scripts that may download when they are installed:', texts);
}

function listFirst(head: string, lines: readonly string[]): string {
  const shown = lines.slice(0, shownLines).map((line) => `  ${line}\n`);
  const more = lines.length - shown.length;
  return `${head}\n${shown.join('')}${more > 0 ? `  and ${more} more; --json lists all\n` : ''}`;
}

function nameOf({ id, version, from }: ImportLine): string {
  return id === undefined ? from : `${id} ${version} (${from})`;
}
