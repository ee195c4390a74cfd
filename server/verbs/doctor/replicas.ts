import { type Check, type Finding, failed, ok, skip, warn } from './check.ts';

/** Which servers are connected to the database, and whether they are of one version. */
export const replicas: Check = {
  name: 'replicas',
  async look({ config, version }) {
    if (config.databaseUrl === undefined) return skip('one server, with SQLite');
    const { openPostgresProbe } = await import('../../replica/probe.ts');
    const probe = await openPostgresProbe(config.databaseUrl);
    try {
      return judgeReplicas(await probe.servers(), version);
    } finally {
      probe.close();
    }
  },
};

export type Replica = { readonly version: string; readonly instance: string; readonly from: string };

export function judgeReplicas(found: readonly Replica[], own: string): Finding {
  const servers = [...new Map(found.map((one) => [one.instance, one])).values()];
  if (servers.length === 0)
    return failed('no server is connected to the database', 'start the servers, or correct DATABASE_URL');
  const versions = [...new Set(servers.map(({ version }) => version))].sort();
  const count = `${servers.length} ${servers.length === 1 ? 'server is' : 'servers are'} connected`;
  if (versions.length > 1)
    return warn(
      `${count}, of different versions: ${servers.map(({ version, from }) => `${version} at ${from}`).join(', ')}`,
      'finish the upgrade: servers of two successive versions work together, but only until then',
    );
  return versions[0] === own
    ? ok(`${count}, all of version ${own}`)
    : warn(
        `${count}, all of version ${versions[0]}, and this program is ${own}`,
        'run the doctor of their version',
      );
}
