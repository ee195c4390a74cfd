import type { ServerFile } from '../../server-file.ts';

/** The processes of an installation that serve: the one of this data folder, and those that PostgreSQL knows. */
export async function findInstances(
  databaseUrl: string | undefined,
  server: ServerFile | undefined,
): Promise<ReadonlySet<string>> {
  const own = server?.instance === undefined ? [] : [server.instance];
  if (databaseUrl === undefined) return new Set(own);
  // Loaded only where it is needed: it brings the driver with it.
  const { openPostgresProbe } = await import('../../replica/probe.ts');
  try {
    const probe = await openPostgresProbe(databaseUrl);
    try {
      const servers = await probe.servers();
      return new Set([...own, ...servers.map(({ instance }) => instance)]);
    } finally {
      probe.close();
    }
  } catch {
    // The check `database` says why.
    return new Set(own);
  }
}
