import { statfs } from 'node:fs/promises';
import type { Audit } from '../audit/audit.ts';
import type { Backups } from '../audit/backups.ts';
import type { CollectorRuns } from '../feed/orphan-collector.ts';
import type { InstallationValues } from '../installation-metrics.ts';

/** Where the values come from that say whether an installation is well. */
export type InstallationServices = {
  readonly version: string;
  readonly audit: Pick<Audit, 'head'>;
  /** Of the certificate that is served; undefined: no TLS here. */
  readonly certificateExpiry?: (() => Date | undefined) | undefined;
  readonly installation: {
    readonly dataDir: string;
    /** Of the database, as this program knows it. */
    readonly schemaVersion: number;
    readonly backups: Pick<Backups, 'last'>;
    /** Copies of an object store on this machine. */
    readonly cacheRoom?: (() => { readonly usedBytes: number; readonly limitBytes: number }) | undefined;
    /** Where this server looks for blobs that nobody names. */
    readonly collectorRuns?: (() => CollectorRuns) | undefined;
  };
};

export async function readInstallation(services: InstallationServices): Promise<InstallationValues> {
  const { version, audit, certificateExpiry, installation } = services;
  const { dataDir, schemaVersion, backups, cacheRoom, collectorRuns } = installation;
  return {
    version,
    schemaVersion,
    certificateExpiry: certificateExpiry?.(),
    disk: await readDisk(dataDir),
    lastBackup: await backups.last(),
    auditEntries: (await audit.head()).number,
    cache: cacheRoom?.(),
    collector: collectorRuns?.(),
  };
}

/** Undefined where the file system does not say: the other metrics matter all the more then. */
async function readDisk(dir: string): Promise<InstallationValues['disk']> {
  try {
    const { bavail, blocks, bsize } = await statfs(dir);
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  } catch {
    return undefined;
  }
}
