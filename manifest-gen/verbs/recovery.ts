/** Who is meant: those that have `bad`, and what updates bring them to. */
export type Affected = {
  readonly tool: string;
  readonly packageId: string;
  readonly bad: string;
  /** Undefined when there is nothing to bring them to. */
  readonly fixed: string | undefined;
  readonly isBeta: boolean;
};

/**
 * How one sees which machines have the bad version, and what each of them runs. `scoop update` alone comes first: for three
 * hours after the last one, `scoop update TOOL` does not look at the bucket (spec scoop 1.4).
 */
export function recoveryLines({ tool, packageId, bad, fixed, isBeta }: Affected): readonly string[] {
  const pre = isBeta ? ' --pre' : '';
  const commands =
    fixed === undefined
      ? [`choco uninstall ${packageId}`, `scoop uninstall ${tool}`]
      : [`choco upgrade ${packageId}${pre}`, `scoop update; scoop update ${tool}`];
  const aim = fixed === undefined ? 'has nothing to go to, so it loses the tool' : `gets ${fixed}`;
  return [
    `Which machines have it: feed:audit downloads ${packageId}@${bad}`,
    `A machine that has ${tool} ${bad} ${aim} by`,
    ...commands.map((command) => `  ${command}`),
  ];
}
