import type { ClientJson } from './client-json.ts';

/** Why a machine is offered what it is, one line each: of itself, of each tool, and of each rollout that is open or whose version it may still have. */
export function explanationOf({ id, firstSeen, lastSeen, rings, offers, rollouts }: ClientJson): string[] {
  const seen = firstSeen === undefined ? 'never seen' : `seen from ${firstSeen} to ${lastSeen}`;
  const ofRings = rings.length === 0 ? 'in no ring' : `in ${rings.join(', ')}`;
  return [
    `${id}: ${seen}, ${ofRings}`,
    ...offers.map(
      ({ tool, version, why, rollout }) =>
        `${tool} ${version ?? 'none'}: ${reasons[why]}${rollout === undefined ? '' : ` ${rollout}`}`,
    ),
    ...rollouts.map(describeRollout),
  ];
}

const reasons: Readonly<Record<ClientJson['offers'][number]['why'], string>> = {
  everybody: 'what everybody is offered',
  rollout: 'by rollout',
  correction: 'in place of a version that was taken back, rollout',
};

function describeRollout(rollout: ClientJson['rollouts'][number]): string {
  const { id, tool, version, state, position, isReached, admittedAt, receivedAt } = rollout;
  const stands =
    admittedAt === undefined
      ? isReached
        ? 'reached by its steps, admitted at its next request while the rollout is rolling'
        : 'not reached by its steps'
      : `admitted ${admittedAt}, ${receivedAt === undefined ? 'not received' : `received ${receivedAt}`}`;
  return `rollout ${id} of ${tool} ${version}, ${state}: position ${position} of 10000, ${stands}`;
}
