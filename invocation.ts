/** What main.ts passes to a verb: the process, read once. A verb that needs less of it takes its part with `Pick`. */
export type Invocation = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  /** Where the product's own files are: manifest-gen/tools, nuspecs, buckets. */
  readonly productDir: string;
  readonly cwd: string;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  readonly version: string;
};
