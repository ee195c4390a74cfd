import type { PruneReport } from '../feed/prune.ts';
import { type Keeper, keepers } from '../feed/prune-plan.ts';
import { printBytes, printCount } from './print.ts';
import { printTable } from './table.ts';

const whyKept: Readonly<Record<Keeper, string>> = {
  branch: 'a branch of the bucket offers it',
  rollout: 'a rollout names it',
  promotion: 'its promotion is not finished',
  correction: 'a correction has its bytes',
  newest: 'it is one of the newest',
  young: 'it is young',
};

/** What goes and why the rest stays, for people. */
export function printPruneReport(report: PruneReport, { dryRun }: { readonly dryRun: boolean }): string {
  const { versions, count, bytes, kept, isWaiting } = report;
  const rows = versions.map((one) => [one.id, one.version, printBytes(one.bytes)]);
  const table = rows.length === 0 ? '' : printTable(['ID', 'VERSION', 'SIZE'], rows);
  const unnamed = count > versions.length ? [`... and ${count - versions.length} more.`] : [];
  const stay = keepers.filter((keeper) => kept[keeper] > 0);
  const sum = stay.reduce((all, keeper) => all + kept[keeper], 0);
  const staying =
    sum === 0 ? 'No other beta is there.' : `${printCount(sum, 'beta')} ${sum === 1 ? 'stays' : 'stay'}:`;
  const lines = [
    ...unnamed,
    count === 0
      ? 'Nothing to remove.'
      : `${printCount(count, 'beta')}, about ${printBytes(bytes)}, ${dryRun ? 'would be removed' : 'removed for good'}.`,
    staying,
    ...stay.map((keeper) => `  ${kept[keeper]}: ${whyKept[keeper]}`),
    ...endOf(count, dryRun, isWaiting),
  ];
  return `${table}${lines.join('\n')}\n`;
}

function endOf(count: number, dryRun: boolean, isWaiting: boolean): string[] {
  if (count === 0) return [];
  if (dryRun) return ['Nothing was changed. Run it again with --yes to delete them for good.'];
  const waiting =
    'Some bytes are still on the disk, and nobody gets them: a backup, an export, a check or a long query is reading them, or the disk is full. They go as soon as that is over.';
  return [...(isWaiting ? [waiting] : []), 'Backups and exports that were made before still hold them.'];
}
