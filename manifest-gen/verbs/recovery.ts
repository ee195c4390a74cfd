/** Machines that have `bad`, and the version that updates bring. */
export type Affected = {
  readonly tool: string;
  readonly packageId: string;
  readonly bad: string;
  /** Undefined when there is no such version. */
  readonly fixed: string | undefined;
  readonly isBeta: boolean;
};

/**
 * How to see which machines have the bad version, and what to run on them. `scoop update` alone comes first: for three hours
 * after the last one, `scoop update TOOL` does not look at the bucket (spec scoop 1.4).
 */
export function recoveryLines({ tool, packageId, bad, fixed, isBeta }: Affected): readonly string[] {
  const pre = isBeta ? ' --pre' : '';
  const commands =
    fixed === undefined
      ? [`choco uninstall ${packageId}`, `scoop uninstall ${tool}`]
      : [`choco upgrade ${packageId}${pre}`, `scoop update; scoop update ${tool}`];
  const aim = fixed === undefined ? 'has no version to go to, so it loses the tool' : `gets ${fixed}`;
  return [
    `To see which machines have it: feed:audit downloads ${packageId}@${bad}`,
    `A machine that has ${tool} ${bad} ${aim} by`,
    ...commands.map((command) => `  ${command}`),
  ];
}
