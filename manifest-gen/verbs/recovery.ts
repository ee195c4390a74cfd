import { channelOf } from '../plan/withdrawal.ts';
import { packageIdOf, type Tool } from '../tool-file/tools.ts';

/**
 * How to see which machines have the bad version, and what to run on them. `scoop update` alone comes first: for three hours
 * after the last one, `scoop update TOOL` does not look at the bucket (spec scoop 1.4).
 * @param fixed the version that updates bring; undefined when there is none
 * @param finder the verb that shows who has it
 */
export function recoveryLines(
  tool: Pick<Tool, 'tool' | 'packageId'>,
  bad: string,
  fixed: string | undefined,
  finder = `feed:audit downloads ${packageIdOf(tool)}@${bad}`,
): readonly string[] {
  const [id, app] = [packageIdOf(tool), tool.tool];
  const pre = channelOf(bad) === 'beta' ? ' --pre' : '';
  const commands =
    fixed === undefined
      ? [`choco uninstall ${id}`, `scoop uninstall ${app}`]
      : [`choco upgrade ${id}${pre}`, `scoop update; scoop update ${app}`];
  const aim = fixed === undefined ? 'has no version to go to, so it loses the tool' : `gets ${fixed}`;
  return [
    `To see which machines have it: ${finder}`,
    `A machine that has ${app} ${bad} ${aim} by`,
    ...commands.map((command) => `  ${command}`),
  ];
}
