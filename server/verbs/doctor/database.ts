import { pathsIn } from '../../data-dir.ts';
import { printBytes } from '../print.ts';
import { type Check, type Finding, failed, ok, type Place, warn } from './check.ts';

/** A change waits for the database several times, and a replica that hears nothing for so long answers nobody. */
const slowMs = 50;
const probes = 5;
/** SQLite takes its log into the database whenever nobody reads; a long one means that somebody always does. */
const maxLogBytes = 1024 ** 3;
/** Reading every page of a large database takes longer than anybody waits. */
const budgetMs = 10_000;

export const database: Check = {
  name: 'database',
  limitMs: 60_000,
  look: ({ config, ...place }) =>
    config.databaseUrl === undefined ? lookAtFile(config.dataDir) : lookAtPostgres(config.databaseUrl, place),
};

async function lookAtFile(dataDir: string): Promise<Finding> {
  const { openSqliteProbe } = await import('../../database/probe.ts');
  const probe = openSqliteProbe(pathsIn(dataDir).database);
  try {
    const { checked, of } = probe.check(budgetMs);
    return judgeFile({ ...probe, checked, of });
  } finally {
    probe.close();
  }
}

export type FileFacts = {
  readonly schema: { readonly found: number; readonly known: number };
  readonly bytes: number;
  readonly logBytes: number;
  readonly checked: number;
  readonly of: number;
};

export function judgeFile({ schema, bytes, logBytes, checked, of }: FileFacts): Finding {
  if (schema.found > schema.known)
    return failed(
      `the database has schema ${schema.found}, and this version knows ${schema.known}`,
      'run the doctor of the version that wrote it, or upgrade',
    );
  if (schema.found < schema.known)
    return warn(
      `the database has schema ${schema.found}, and this version has ${schema.known}`,
      'restart the server, which brings it to the schema of the installed version',
    );
  if (logBytes > maxLogBytes)
    return warn(
      `the write-ahead log of the database has grown to ${printBytes(logBytes)}`,
      'end what reads it for hours (a backup that hangs), or restart the server',
    );
  const part =
    checked === of ? 'sound' : `sound as far as ${checked} of ${of} tables were read (feed:verify reads all)`;
  return ok(`SQLite with ${printBytes(bytes + logBytes)} is ${part}, schema ${schema.found}`);
}

async function lookAtPostgres(url: string, { signal }: Pick<Place, 'signal'>): Promise<Finding> {
  const { openPostgresProbe } = await import('../../replica/probe.ts');
  const probe = await openPostgresProbe(url);
  signal.addEventListener('abort', probe.close, { once: true });
  try {
    const times: number[] = [];
    for (let n = 0; n < probes; n += 1) times.push((await probe.time()).ms);
    const latencyMs = times.toSorted((one, other) => one - other)[Math.floor(probes / 2)] ?? 0;
    return judgePostgres({
      name: probe.name,
      isReadOnly: await probe.isReadOnly(),
      schema: await probe.schema(),
      latencyMs,
    });
  } finally {
    probe.close();
  }
}

export type PostgresFacts = {
  readonly name: string;
  readonly isReadOnly: boolean;
  readonly schema: { readonly found: number; readonly least: number; readonly known: number } | undefined;
  /** The median. */
  readonly latencyMs: number;
};

export function judgePostgres({ name, isReadOnly, schema, latencyMs }: PostgresFacts): Finding {
  const took = `${latencyMs < 10 ? latencyMs.toFixed(1) : Math.round(latencyMs)} ms`;
  if (isReadOnly)
    return failed(
      `${name} can only be read: it is a standby, or set to read only`,
      'let DATABASE_URL lead to the primary',
    );
  if (schema === undefined)
    return failed(
      `${name} has no tables of go-win-tools`,
      'correct DATABASE_URL; a new database gets its tables from serve',
    );
  if (schema.least > schema.known)
    return failed(
      `${name} has dropped what this version uses (it has schema ${schema.found}, this version ${schema.known})`,
      'upgrade this program to the version that the servers have',
    );
  if (schema.found < schema.known)
    return warn(
      `${name} has schema ${schema.found}, and this version has ${schema.known}`,
      'feed:migrate shows and applies the steps; serve applies them, too, when it starts',
    );
  if (latencyMs >= slowMs)
    return warn(
      `${name} takes ${took} for the smallest answer`,
      `bring servers and database closer together: from ${slowMs} ms on, requests wait and replicas lose their lease (docs/operate/replicas.md)`,
    );
  return ok(`${name} answers after ${took}, schema ${schema.found}`);
}
