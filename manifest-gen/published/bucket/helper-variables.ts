import type { Git } from './git.ts';

/** Helpers that read variables which no configuration names. */
const ofHelpers = [
  [/\bgh\b/, 'GH_TOKEN GITHUB_TOKEN GH_ENTERPRISE_TOKEN GITHUB_ENTERPRISE_TOKEN GH_HOST GH_CONFIG_DIR'],
  [/\bglab\b/, 'GITLAB_TOKEN GITLAB_HOST GLAB_CONFIG_DIR'],
] as const;

/** The variables that a person's credential helpers need: `helper = "!f() { echo password=$BUCKET_TOKEN; }; f"`. */
export async function helperVariables(git: Git): Promise<readonly string[]> {
  const args = ['config', '--get-regexp', '^(credential\\..*helper|core\\.(askpass|sshcommand))$'];
  // exit code 1 where there are none
  const helpers = await git.run(args).catch(() => '');
  const named = [...helpers.matchAll(/\$\{?(\w+)/g)].map(([, name = '']) => name);
  const known = ofHelpers.filter(([helper]) => helper.test(helpers)).map(([, names]) => names);
  return [...named, ...known.flatMap((names) => names.split(' '))];
}
