import { reservedAgainst } from '../feed/reserved-ids.ts';
import { allows, type Scope } from '../keys/api-keys.ts';
import { type Change, type Channel, type PushCommands, parseTagRef, shortRef, toolOfPath } from './push.ts';

/** An action of a push, and the scope that it needs. */
type Need = {
  readonly what: string;
  readonly scope: Scope;
  /** undefined: it belongs to no tool. */
  readonly tool: string | undefined;
};

type Asker = Pick<PushCommands, 'pusher' | 'reservedIds'>;

/** Why the pusher may not move this ref at all, wherever it would point; undefined when they may. */
export function refuseRef({ pusher, reservedIds }: Asker, ref: string): string | undefined {
  const tag = parseTagRef(ref);
  const what = shortRef(ref);
  if (tag !== undefined) {
    const scope = isPrerelease(tag.named) ? 'push:beta' : 'push';
    return refuse({ pusher, reservedIds }, { what, tool: tag.tool, scope });
  }
  const scope = ref === 'refs/heads/beta' ? 'push:beta' : 'push';
  return allows(pusher, scope) ? undefined : sentence({ what, tool: undefined, scope });
}

/** Why the pusher may not touch this path on a branch, whatever its content: decided before any file is read. */
export function refusePath(asker: Asker, channel: Channel, path: string): string | undefined {
  if (path === placeholder && allows(asker.pusher, scopeOf(channel))) return undefined;
  return refuse(asker, needOfPath(channel, path));
}

/** The same for a change whose files were read. */
export function refuseChange(asker: Asker, channel: Channel, change: Change): string | undefined {
  if (change.path === placeholder && change.after === undefined)
    return refusePath(asker, channel, change.path);
  const need = needOfPath(channel, change.path);
  const [old, now] = [change.before?.manifest?.version, change.after?.manifest?.version];
  const version = change.after === undefined ? old : now;
  if (version === undefined || isPrerelease(version)) {
    return refuse(asker, need);
  }
  const what = `${old === now ? 'a change of ' : ''}the stable version ${version} to ${channel}`;
  return refuse(asker, { ...need, what, scope: 'push' });
}

/** Why the pusher may not push a commit without changes, which belongs to no tool. */
export function refuseEmptyCommit(asker: Asker, channel: Channel): string | undefined {
  return refuse(asker, { what: channel, tool: undefined, scope: scopeOf(channel) });
}

/** The placeholder in a bucket without tools. The first release removes it, so every publisher may. */
const placeholder = 'bucket/.gitkeep';

/** Anything else outside of bucket/ may be a script that a stable version runs. */
const prose = /(^|\/)(LICENSE|\.editorconfig|\.gitattributes|\.gitkeep|[^/]+\.(md|txt))$/;

/**
 * `push:beta` is limited to what only testers see (contract section 3). That is not all of branch beta: a stable version there is
 * served to everybody at `/m/TOOL/VERSION/TOOL.json`.
 */
function needOfPath(channel: Channel, path: string): Need {
  const tool = toolOfPath(path);
  return tool !== undefined || prose.test(path)
    ? { what: channel, tool, scope: scopeOf(channel) }
    : { what: `${path} to ${channel}`, tool, scope: 'push' };
}

function scopeOf(channel: Channel): Scope {
  return channel === 'beta' ? 'push:beta' : 'push';
}

function refuse({ pusher, reservedIds }: Asker, need: Need): string | undefined {
  const { what, scope, tool } = need;
  if (!allows(pusher, scope)) return sentence(need);
  const isLimited = pusher.ids.length > 0;
  if (tool === undefined && isLimited) {
    return `This key may not push ${what}: it is limited to ${idsOf(pusher)}, and this belongs to all tools. Use a key without ids.`;
  }
  if (!allows(pusher, scope, tool)) {
    return `This key may not push ${what} for ${tool}: it is limited to ${idsOf(pusher)}.`;
  }
  const reserved = tool === undefined ? undefined : reservedAgainst(reservedIds, tool, pusher);
  return reserved === undefined
    ? undefined
    : `This key may not push ${what} for ${tool}: the id is reserved (${reserved}), which takes a key that is limited to such ids.`;
}

function idsOf({ ids }: Asker['pusher']): string {
  return ids.join(', ');
}

function sentence({ what, tool, scope }: Need): string {
  return `This key may not push ${what}${tool === undefined ? '' : ` for ${tool}`}: it needs the scope ${scope}.`;
}

/** The text after a `+` does not make a prerelease. */
export function isPrerelease(version: string): boolean {
  return /^[^+]*-/.test(version);
}
