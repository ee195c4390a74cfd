import { constants } from 'node:fs';
import { access, chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '../errors.ts';

/**
 * git runs `hooks/pre-receive` after all objects of a push have arrived and before any branch moves. It decides nothing: it
 * passes the push to the server process that started git (hook-server.ts), and prints the answer, which git shows to the pusher.
 * `hooks/reference-transaction` runs when refs move (git 2.28 and newer): it allows exactly what the server has accepted. All
 * files are rewritten at each start, so that they match the server after an update.
 */
export async function installHooks(repoDir: string): Promise<void> {
  const dir = join(repoDir, 'hooks');
  await mkdir(dir, { recursive: true });
  for (const [name, program] of Object.entries(programs)) await writeFile(join(dir, name), program);
  for (const [name, script] of Object.entries(hooks)) {
    await writeFile(join(dir, name), script);
    await chmod(join(dir, name), 0o755);
  }
}

/**
 * git ignores a hook that is not executable (for example on a volume mounted noexec), and would then accept any push unchecked.
 * @throws FeedError PUSH_GATE_SHUT
 */
export async function requireHooks(repoDir: string): Promise<void> {
  for (const name of Object.keys(hooks)) {
    const file = join(repoDir, 'hooks', name);
    await access(file, constants.X_OK).catch((cause) => fail('PUSH_GATE_SHUT', { file }, cause));
  }
}

/** The file that lists which refs the hook of one push may move; without it, none. */
export function acceptedFile(repoDir: string, id: string): string {
  return join(repoDir, 'hooks', `accepted-${id}`);
}

/** `lines` are `OLD NEW REF`, sorted. */
export async function writeAccepted(file: string, lines: readonly string[]): Promise<void> {
  await writeFile(file, lines.map((line) => `${line}\n`).join(''));
}

export async function forgetAccepted(file: string): Promise<void> {
  await rm(file, { force: true });
}

/** The hook's environment, which git passes on from `git http-backend`. */
export function hookEnvironment(
  repoDir: string,
  port: number,
  token: string,
  accepted: string,
): Readonly<Record<string, string>> {
  return {
    GO_WIN_TOOLS_NODE: process.execPath,
    GO_WIN_TOOLS_HOOK: join(repoDir, 'hooks', 'pre-receive'),
    GO_WIN_TOOLS_GATE: `${port}:${token}`,
    GO_WIN_TOOLS_ACCEPTED: accepted,
  };
}

const preReceive = `#!/bin/sh
# Written by go-win-tools at each start; changes are lost.
if [ -z "$GO_WIN_TOOLS_GATE" ]; then
  echo "This bucket takes pushes only through its server, which checks them: push to http://SERVER/git/main/go-win-tools.git with a key." >&2
  exit 1
fi
# git's limit of memory is not for this program.
ulimit -S -v unlimited 2>/dev/null || ulimit -S -v "$(ulimit -H -v)" 2>/dev/null
set -- "$GO_WIN_TOOLS_NODE" "$GO_WIN_TOOLS_HOOK.mjs"
${process.platform === 'win32' ? '' : 'command -v bash >/dev/null && set -- bash "$GO_WIN_TOOLS_HOOK.bash" "$@"'}
exec "$@"
`;

/** HEAD is named too when its branch moves. */
const referenceTransaction = `#!/bin/sh
# Written by go-win-tools at each start; changes are lost.
if [ "$1" != prepared ] || [ -z "$GO_WIN_TOOLS_GATE" ]; then
  exit 0
fi
grep -v ' HEAD$' | LC_ALL=C sort | cmp -s - "$GO_WIN_TOOLS_ACCEPTED" && exit 0
echo "git would move other refs than the server has accepted; nothing was changed." >&2
exit 1
`;

const hooks = { 'pre-receive': preReceive, 'reference-transaction': referenceTransaction };

/** Starts in 2 ms instead of the 80 of Node. A bash that cannot connect leaves the push to Node, whose command is its arguments. */
const askInBash = `# Written by go-win-tools at each start; changes are lost.
{ exec 3<>"/dev/tcp/127.0.0.1/\${GO_WIN_TOOLS_GATE%%:*}"; } 2>/dev/null || exec "$@"
trap '' PIPE
{
  printf '%s\\n' "\${GO_WIN_TOOLS_GATE#*:}" "$GIT_OBJECT_DIRECTORY" "$GIT_ALTERNATE_OBJECT_DIRECTORIES" "$GIT_QUARANTINE_PATH"
  cat
  echo
} >&3 2>/dev/null
if ! IFS= read -r verdict <&3; then
  echo "The server could not check this push; nothing was changed. Push again." >&2
  exit 1
fi
while IFS= read -r line; do printf '%s\\n' "$line"; done <&3 >&2
[ "$verdict" = accepted ]
`;

const askInNode = `// Written by go-win-tools at each start; changes are lost.
import { connect } from 'node:net';

const [port, token] = process.env.GO_WIN_TOOLS_GATE.split(':');
const { GIT_OBJECT_DIRECTORY, GIT_ALTERNATE_OBJECT_DIRECTORIES, GIT_QUARANTINE_PATH } = process.env;
const places = [GIT_OBJECT_DIRECTORY, GIT_ALTERNATE_OBJECT_DIRECTORIES, GIT_QUARANTINE_PATH];
try {
  const updates = await readAll(process.stdin);
  const socket = connect({ host: '127.0.0.1', port: Number(port) });
  const question = [token, ...places.map((place) => place ?? ''), updates].join('\\n');
  socket.write(question + '\\n');
  const [verdict, ...lines] = (await readAll(socket)).split('\\n');
  if (lines.pop() === undefined) throw new Error('no answer');
  for (const line of lines) {
    console.error(line);
  }
  process.exitCode = verdict === 'accepted' ? 0 : 1;
} catch {
  console.error('The server could not check this push; nothing was changed. Push again.');
  process.exitCode = 1;
}

async function readAll(stream) {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) {
    text += chunk;
  }
  return text;
}
`;

const programs = { 'pre-receive.bash': askInBash, 'pre-receive.mjs': askInNode };
