import { fail } from '../errors.ts';

/** A push as read from its request, before git sees a byte of it. */
export type PushRequest = {
  /** One per ref. */
  readonly commands: readonly Command[];
  readonly capabilities: ReadonlySet<string>;
  /** The pusher's clone is shallow, and says so. */
  readonly isShallow: boolean;
};

/** Object ids in hex; undefined for the zeros that mean "does not exist". */
type Command = {
  readonly ref: string;
  readonly old: string | undefined;
  readonly next: string | undefined;
};

const maxCommands = 5_000;
const zeros = '0'.repeat(40);
/** Only what git offers: `push-cert` and `push-options` would add lines that nobody checks. */
const capability =
  /^(report-status|report-status-v2|side-band-64k|quiet|atomic|ofs-delta|delete-refs|object-format=sha1|agent=[!-~]{1,256})$/;

/**
 * Reads the list of commands (gitprotocol-pack, "Reference Update Request and Packfile Transfer"). git would accept more: several
 * commands for one ref, capabilities on any line, ids in upper case. Anything that git and the rules might understand differently
 * is refused.
 * @throws FeedError PUSH_INVALID, PUSH_TOO_LARGE
 */
export function parsePushRequest(packets: readonly Buffer[]): PushRequest {
  const lines = packets.map((packet) => packet.toString('latin1').replace(/\n$/, ''));
  const [first, ...others] = lines.filter((line) => !isShallowLine(line));
  const [command = '', capabilities = '', ...more] = first?.split('\0') ?? [];
  if (more.length > 0 || others.some((line) => line.includes('\0'))) {
    refuse('the capabilities come once, on the first command');
  }
  const texts = first === undefined ? [] : [command, ...others];
  if (texts.length > maxCommands) {
    fail('PUSH_TOO_LARGE', { what: 'The push', found: `${texts.length} refs`, limit: maxCommands });
  }
  const commands = texts.map(parseCommand);
  const refs = new Set<string>();
  for (const { ref } of commands) {
    if (refs.has(ref)) refuse(`${ref} is named twice`);
    refs.add(ref);
  }
  return {
    commands,
    capabilities: parseCapabilities(capabilities),
    isShallow: lines.some(isShallowLine),
  };
}

function isShallowLine(line: string): boolean {
  return /^shallow [0-9a-f]{40}$/.test(line);
}

function parseCapabilities(text: string): ReadonlySet<string> {
  const names = text.split(' ').filter((name) => name !== '');
  const strange = names.find((name) => !capability.test(name));
  if (strange !== undefined) {
    refuse(`this server does not offer the capability ${JSON.stringify(strange.slice(0, 40))}`);
  }
  return new Set(names);
}

function parseCommand(text: string): Command {
  const [, old = '', next = '', ref = ''] =
    /^([0-9a-f]{40}) ([0-9a-f]{40}) (refs\/[!-~]{1,250})$/.exec(text) ??
    refuse(`${JSON.stringify(text.slice(0, 120))} is not "OLD NEW refs/..."`);
  if (old === next) {
    refuse(`${ref} is to stay where it is`);
  }
  const present = (oid: string): string | undefined => (oid === zeros ? undefined : oid);
  return { ref, old: present(old), next: present(next) };
}

function refuse(problem: string): never {
  fail('PUSH_INVALID', { problem });
}

/** The commands as git passes them to its hooks, sorted: `OLD NEW REF`. */
export function commandLines(commands: PushRequest['commands']): string[] {
  return commands.map(({ ref, old, next }) => `${old ?? zeros} ${next ?? zeros} ${ref}`).sort();
}
