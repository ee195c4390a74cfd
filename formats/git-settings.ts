/** A setting of git, such as `http.proxy` and its value. */
export type GitSetting = readonly [name: string, value: string];

/** The variables that give git more settings than its files: after those that the environment has already (git-config, GIT_CONFIG_COUNT). */
export function settingVariables(
  env: Readonly<Record<string, string | undefined>>,
  settings: readonly GitSetting[],
): Record<string, string> {
  const first = Number.parseInt(env.GIT_CONFIG_COUNT ?? '0', 10) || 0;
  return Object.fromEntries([
    ['GIT_CONFIG_COUNT', `${first + settings.length}`],
    ...settings.flatMap(([name, value], at) => [
      [`GIT_CONFIG_KEY_${first + at}`, name],
      [`GIT_CONFIG_VALUE_${first + at}`, value],
    ]),
  ]);
}
