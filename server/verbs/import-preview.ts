import { FeedError } from '../errors.ts';
import { compareWithTarget, type ImportTarget } from '../feed/import.ts';
import type { RemotePackage } from '../import/source.ts';
import { printBytes } from './print.ts';
import { printTable } from './table.ts';

type Row = {
  readonly id: string;
  versions: number;
  there: number;
  conflicts: number;
  bytes: number;
  /** Whether the source announces all sizes. */
  isWhole: boolean;
};

/** `--dry-run`: what would be imported, by id and in total, without downloading anything. */
export async function previewImport(
  stdout: NodeJS.WritableStream,
  packages: readonly RemotePackage[],
  target: Pick<ImportTarget, 'find'>,
  json: boolean,
): Promise<void> {
  const rows = new Map<string, Row>();
  const total = emptyRow('all');
  for (const remote of packages) {
    const row = rows.get(remote.id.toLowerCase()) ?? emptyRow(remote.id);
    rows.set(remote.id.toLowerCase(), row);
    const state = await stateOf(remote, target);
    for (const sum of [row, total]) {
      sum.versions += 1;
      sum.there += Number(state === 'there');
      sum.conflicts += Number(state === 'differs');
      if (state === 'new') {
        sum.bytes += remote.sizeBytes ?? 0;
        sum.isWhole &&= remote.sizeBytes !== undefined;
      }
    }
  }
  if (json) {
    for (const row of rows.values()) stdout.write(`${JSON.stringify({ kind: 'would import', ...row })}\n`);
    stdout.write(`${JSON.stringify({ kind: 'end', ...total, ids: rows.size })}\n`);
    return;
  }
  stdout.write(printTable(head, [...rows.values(), total].map(cellsOf)));
}

const head = ['ID', 'VERSIONS', 'NEW', 'HERE ALREADY', 'OTHER BYTES HERE', 'TO FETCH'];

function cellsOf({ id, versions, there, conflicts, bytes, isWhole }: Row): string[] {
  const known = bytes === 0 ? 'unknown' : `at least ${printBytes(bytes)}`;
  const size = isWhole ? printBytes(bytes) : known;
  return [id, String(versions), String(versions - there - conflicts), String(there), String(conflicts), size];
}

async function stateOf(
  remote: RemotePackage,
  target: Pick<ImportTarget, 'find'>,
): Promise<'new' | 'there' | 'differs'> {
  try {
    return (await compareWithTarget(remote, target)) === undefined ? 'new' : 'there';
  } catch (error) {
    if (error instanceof FeedError && error.code === 'IMPORT_DIFFERS') return 'differs';
    throw error;
  }
}

function emptyRow(id: string): Row {
  return { id, versions: 0, there: 0, conflicts: 0, bytes: 0, isWhole: true };
}
