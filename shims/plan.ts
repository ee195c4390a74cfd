import { fail } from '../errors/release-error.ts';
import type { Tool } from '../manifest-gen/tool-file/tools.ts';
import type { Policy, ToolPolicy } from './policy.ts';

/** The complete plan for one command's shim: every form is made from this alone. */
export type ShimPlan = {
  readonly tool: string;
  /** `dlv`: the shim's name. */
  readonly command: string;
  /** `dlv.exe`: the file in the installs. */
  readonly exe: string;
  /** The app's name in Scoop. */
  readonly app: string;
  /** The package id in Chocolatey. */
  readonly packageId: string;
  readonly prefer: 'scoop' | 'choco' | 'newest' | 'pinned';
  readonly pin: string | undefined;
  readonly sandbox: 'default' | 'strict';
  readonly deny: readonly string[];
  readonly paths: readonly { readonly path: string; readonly version?: string | undefined }[];
};

/**
 * A shim for each tool in the tools' folder and for each other command in the policy; `only`, by tool or command, restricts them.
 * @throws ReleaseError TOOL_UNKNOWN, POLICY_INVALID when two shims would have the same name
 */
export function planShims(
  tools: readonly Pick<Tool, 'tool' | 'command' | 'packageId'>[],
  policy: Policy,
  only: readonly string[] = [],
): readonly ShimPlan[] {
  const others = otherCommands(tools, policy);
  const plans = [
    ...tools.map(({ tool, command, packageId }) => planOf({ tool, command, packageId }, policy)),
    ...others.map((tool) => planOf({ tool }, policy)),
  ].sort((a, b) => (a.command < b.command ? -1 : 1));
  const twice = plans.find((plan, at) => plans[at + 1]?.command === plan.command);
  if (twice !== undefined) {
    const names = plans.filter(({ command }) => command === twice.command).map(({ tool }) => tool);
    fail('POLICY_INVALID', {
      file: 'The policy',
      problems: `${names.join(' and ')} would both be the shim ${twice.command}`,
    });
  }
  const isNamed = ({ tool, command }: ShimPlan, name: string): boolean => tool === name || command === name;
  const unknown = only.find((name) => !plans.some((plan) => isNamed(plan, name)));
  if (unknown !== undefined) {
    const hint = `Name one of these, or use a policy (--policy) that has ${unknown} under tools:.`;
    fail('TOOL_UNKNOWN', { tool: unknown, known: plans.map(({ tool }) => tool).join(', '), hint });
  }
  return only.length === 0 ? plans : plans.filter((plan) => only.some((name) => isNamed(plan, name)));
}

/** Names under `tools:` in the policy that are not in the tools' folder: another command, or a typing error. */
export function otherCommands(tools: readonly Pick<Tool, 'tool'>[], policy: Policy): readonly string[] {
  return Object.keys(policy.tools ?? {}).filter((name) => !tools.some(({ tool }) => tool === name));
}

type Named = { readonly tool: string; readonly command?: string; readonly packageId?: string | undefined };

function planOf(known: Named, policy: Policy): ShimPlan {
  const { tool } = known;
  const own: ToolPolicy = policy.tools?.[tool] ?? {};
  const command = own.command ?? known.command ?? tool;
  const prefer = own.prefer ?? policy.prefer ?? 'newest';
  return {
    tool,
    command,
    exe: `${command}.exe`,
    app: own.app ?? tool,
    packageId: own.packageId ?? known.packageId ?? tool,
    prefer,
    pin: prefer === 'pinned' ? (own.pin ?? policy.pin) : undefined,
    sandbox: own.sandbox ?? policy.sandbox ?? 'default',
    deny: [...new Set([...(policy.deny ?? []), ...(own.deny ?? [])])],
    paths: own.paths ?? [],
  };
}
