import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A request as a client sends it, and what it must be told: see README.md. */
export type RecordedRequest = {
  readonly line: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly firstPart?: string;
  /** As long as the body was. */
  readonly bodyBytes?: number;
  readonly answered: number;
  /** Equal tries in a row. */
  readonly times?: number;
  /** `id version` of each entry, in this order; what completes has one of the two. */
  readonly gives?: readonly string[];
  /** How many entries, where they are too many to name. */
  readonly entries?: number;
  /** `m:count` */
  readonly total?: number;
  /** The body of `$count`. */
  readonly counts?: number;
  /** Whose bytes come back. */
  readonly downloads?: string;
};

export type RecordedCommand = {
  readonly command: string;
  /** Of spec nuget-v2, for what is derived from it. */
  readonly section?: string;
  readonly requests: readonly RecordedRequest[];
};

/** The first line of a file: what its requests name by their place. */
type Headers = { readonly headers: readonly Readonly<Record<string, string>>[] };
type Line = {
  readonly command: string;
  readonly section?: string;
  readonly requests: readonly (Omit<RecordedRequest, 'headers'> & { readonly headers: number })[];
};

/** The commands of one file here, in the order in which they were given. */
export function readRecording(name: string): readonly RecordedCommand[] {
  const text = readFileSync(join(import.meta.dirname, `${name}.jsonl`), 'utf8');
  const [first = '{}', ...rest] = text.split('\n').filter((line) => line !== '');
  const { headers } = JSON.parse(first) as Headers;
  return rest.map((line) => {
    const command = JSON.parse(line) as Line;
    const requests = command.requests.map((request) => ({
      ...request,
      headers: headers[request.headers] ?? {},
    }));
    return { ...command, requests };
  });
}
