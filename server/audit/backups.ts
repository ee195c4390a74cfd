/** A backup of the whole feed that was written. */
export type Backup = {
  /** Everything that was there then is in it. */
  readonly at: Date;
  readonly sizeBytes: number;
};

/** The port to the time of the last backup, for those who watch that there is one. A restore brings back the one before. */
export interface Backups {
  /** Undefined: there was none. */
  last(): Promise<Backup | undefined>;
  /** Durable when it returns. */
  note(backup: Backup): Promise<void>;
}
