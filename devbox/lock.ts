import * as z from 'zod';
import { jsonOf } from '../formats/json.ts';
import { Address, Sha256, ToolName, ToolVersion } from './declaration.ts';
import { digestText } from './judge-file.ts';

const Download = z.strictObject({ version: ToolVersion, url: Address, sha256: Sha256 });
export type Download = z.infer<typeof Download>;

/** Programs that a build runs by name: a tool that is called so would take their place. */
const reserved = [
  ...['go', 'gofmt', 'go-win-probe', 'git', 'cmd', 'powershell', 'pwsh', 'choco', 'scoop', 'curl', 'tar'],
  ...['icacls', 'certutil', 'msiexec', 'reg', 'net', 'sc', 'where', 'whoami', 'findstr', 'xcopy', 'robocopy'],
];

/** The name of the exe of a tool. */
export const ExeName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,80}\.exe$/, 'is not the name of an exe')
  .refine(
    (name) => !reserved.includes(name.slice(0, -4).toLowerCase()),
    'is the name of a program of the system',
  );

/** The exe of a tool, and the name that it gets. */
const ToolDownload = Download.extend({ file: ExeName });
export type ToolDownload = z.infer<typeof ToolDownload>;

/** devbox.lock.json: where each thing is downloaded, and its hash, as the feed had them. Builds read it. */
export const Lock = z.strictObject({
  version: z.literal(1),
  feed: Address,
  tools: z
    .record(ToolName, ToolDownload)
    .refine((tools) => sharedName(tools) === undefined, 'has two exes of one name'),
  /** The package, which has the programs for Linux images, too. */
  probe: Download.optional(),
  go: z.strictObject({
    version: z.string(),
    /** A zip for windows-amd64. */
    windows: z.strictObject({ url: Address, sha256: Sha256 }).optional(),
  }),
  /** The SHA-256 of each file as devbox:create wrote it last. */
  files: z.record(z.string(), Sha256),
  /** Of this file without this field. */
  digest: Sha256,
});
export type Lock = z.infer<typeof Lock>;
export type LockedValues = Omit<Lock, 'files' | 'digest'>;

/** The first tool whose exe has the name of another's; Windows does not tell upper from lower case. */
export function sharedName(tools: Readonly<Record<string, ToolDownload>>): string | undefined {
  const names = new Set<string>();
  for (const [tool, { file }] of Object.entries(tools)) {
    if (names.has(file.toLowerCase())) return tool;
    names.add(file.toLowerCase());
  }
  return undefined;
}

export function writeLock(values: LockedValues, files: ReadonlyMap<string, string>): string {
  const lock = { ...values, tools: sorted(Object.entries(values.tools)), files: sorted([...files]) };
  return print({ ...lock, digest: digestText(print(lock)) });
}

/** Undefined if it is not one. `isOurs`: nobody has changed it since it was written. */
export function readLock(text: string): { readonly lock: Lock; readonly isOurs: boolean } | undefined {
  const lock = Lock.safeParse(jsonOf(text)).data;
  if (lock === undefined) return undefined;
  const { digest, ...rest } = lock;
  return { lock, isOurs: digestText(print(rest)) === digest };
}

function sorted<T>(entries: readonly [string, T][]): Record<string, T> {
  return Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function print(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
