import { Command } from 'commander';
import type { Invocation } from '../../invocation.ts';
import { loadConfig } from '../config.ts';
import { fail } from '../errors.ts';
import type { MigratedDatabase } from '../replica/migrate-database.ts';

type Flags = { readonly contract: boolean; readonly dryRun: boolean; readonly json: boolean };

/** The verb `feed:migrate`: the tables of a PostgreSQL database, for this version of the program. */
export function createCommand(invocation: Invocation): Command {
  return new Command('feed:migrate')
    .description(
      'Shows and applies the steps that bring PostgreSQL (DATABASE_URL) to the schema of this version.',
    )
    .option(
      '--contract',
      'also drop what only older versions use: run it when none of them runs any more',
      false,
    )
    .option('--dry-run', 'show the steps, and apply none', false)
    .option('--json', 'print the result as JSON', false)
    .addHelpText('after', help)
    .action((flags: Flags) => migrate(invocation, flags));
}

const help = `
Expanding steps add tables and columns. Servers of this version and of the one before then work side by side, so serve applies
them, too, when it starts. Contracting steps drop what this version no longer uses, and are applied only by --contract; versions
that still use it refuse the database afterwards. All steps are one transaction: all of them are applied, or none.
The servers need not stop for it, and it never touches a table that this program did not make.`;

async function migrate({ env, stdout }: Invocation, { contract, dryRun, json }: Flags): Promise<void> {
  const { databaseUrl = fail('MIGRATE_SQLITE') } = loadConfig(env);
  // Loaded only where it is needed: it brings the driver with it.
  const { migrateDatabase } = await import('../replica/migrate-database.ts');
  const found = await migrateDatabase(databaseUrl, { contract, isDry: dryRun });
  stdout.write(json ? `${JSON.stringify({ ...found, dryRun })}\n` : told(found, dryRun));
}

function told({ database, schema, known, steps, left }: MigratedDatabase, isDry: boolean): string {
  const before = schema === 0 ? 'it had no tables' : `it had schema ${schema}`;
  const lines = [
    `${database}: this version has schema ${known}, ${before}.`,
    ...steps.map(({ kind, what }) => `  ${isDry ? 'to do' : 'done'}  ${kind}: ${what}`),
    ...left.map(({ kind, what }) => `  left  ${kind}: ${what}`),
  ];
  if (steps.length === 0 && left.length === 0) lines.push('Nothing to do.');
  if (left.length > 0)
    lines.push(
      'What is left only matters to older versions: --contract takes it away when none of them runs.',
    );
  if (schema > known)
    lines.push('A newer version has migrated it. This one works beside it, and drops nothing.');
  return `${lines.join('\n')}\n`;
}
