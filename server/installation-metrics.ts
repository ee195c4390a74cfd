import { Counter, Gauge, type Registry } from 'prom-client';

/** What says whether an installation is well, rather than what it does. */
export type InstallationValues = {
  readonly version: string;
  readonly schemaVersion: number;
  readonly certificateExpiry: Date | undefined;
  /** Of the data folder; `freeBytes`: for this process. */
  readonly disk: { readonly freeBytes: number; readonly totalBytes: number } | undefined;
  readonly lastBackup: { readonly at: Date; readonly sizeBytes: number } | undefined;
  readonly auditEntries: number;
  readonly cache: { readonly usedBytes: number; readonly limitBytes: number } | undefined;
  readonly collector:
    | { readonly done: number; readonly failed: number; readonly removed: number }
    | undefined;
};

type Row = {
  readonly name: string;
  readonly help: string;
  /** Undefined: this installation has no such thing, and the metric no value. */
  readonly value: (values: InstallationValues) => number | undefined;
};

const gauges: readonly Row[] = [
  {
    name: 'gwt_schema_version',
    help: 'The version of the database that this program works with.',
    value: ({ schemaVersion }) => schemaVersion,
  },
  {
    name: 'gwt_certificate_expiry_timestamp_seconds',
    help: 'When the TLS certificate that this server shows expires.',
    value: ({ certificateExpiry }) => certificateExpiry && seconds(certificateExpiry),
  },
  {
    name: 'gwt_disk_free_bytes',
    help: 'Room that is left for this server on the disk of the data folder.',
    value: ({ disk }) => disk?.freeBytes,
  },
  {
    name: 'gwt_disk_total_bytes',
    help: 'Size of the disk of the data folder.',
    value: ({ disk }) => disk?.totalBytes,
  },
  {
    name: 'gwt_backup_last_timestamp_seconds',
    help: 'The time of the last feed:backup; 0: there was none.',
    value: ({ lastBackup }) => (lastBackup === undefined ? 0 : seconds(lastBackup.at)),
  },
  {
    name: 'gwt_backup_last_size_bytes',
    help: 'Size of the last backup.',
    value: ({ lastBackup }) => lastBackup?.sizeBytes,
  },
  {
    name: 'gwt_audit_entries',
    help: 'Entries of the audit log, which is the number of the last one. It never falls.',
    value: ({ auditEntries }) => auditEntries,
  },
  {
    name: 'gwt_blob_cache_used_bytes',
    help: 'Copies of blobs of the object store on this machine.',
    value: ({ cache }) => cache?.usedBytes,
  },
  {
    name: 'gwt_blob_cache_limit_bytes',
    help: 'The room that these copies may take (BLOB_CACHE_BYTES).',
    value: ({ cache }) => cache?.limitBytes,
  },
];

/** Registers the metrics of an installation, and returns what sets them. */
export function createInstallationMetrics(registry: Registry): (values: InstallationValues) => void {
  const registers = [registry];
  const rows = gauges.map(({ name, help, value }) => ({
    gauge: new Gauge({ name, help, registers }),
    value,
  }));
  const build = new Gauge({
    name: 'gwt_build_info',
    help: 'Always 1; the version of the program is the label.',
    labelNames: ['version'],
    registers,
  });
  const collector = {
    runs: new Counter({
      name: 'gwt_collector_runs_total',
      help: 'How often this server looked for blobs that nobody names: done, or failed.',
      labelNames: ['outcome'],
      registers,
    }),
    removed: new Counter({
      name: 'gwt_collector_removed_blobs_total',
      help: 'Blobs that nobody had named for a week.',
      registers,
    }),
  };
  // Nothing but what the installation has gets a value.
  for (const { gauge } of rows) gauge.remove();
  collector.removed.remove();

  return (values) => {
    for (const { gauge, value } of rows) {
      const number = value(values);
      if (number === undefined) gauge.remove();
      else gauge.set(number);
    }
    build.set({ version: values.version }, 1);
    if (values.collector === undefined) return;
    const { done, failed, removed } = values.collector;
    collector.runs.reset();
    collector.runs.inc({ outcome: 'done' }, done);
    collector.runs.inc({ outcome: 'failed' }, failed);
    collector.removed.reset();
    collector.removed.inc(removed);
  };
}

function seconds(time: Date): number {
  return time.getTime() / 1000;
}
