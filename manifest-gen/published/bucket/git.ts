import { resolve } from 'node:path';
import { simpleGit } from 'simple-git';
import { fail } from '../../../errors/release-error.ts';
import { type GitSetting, settingVariables } from '../../../formats/git-settings.ts';
import { type Environment, gitEnvironment } from '../../../system/child-environment.ts';
import { currentTraceParent } from '../../../tracing/spans.ts';
import { currentKey, type FeedKey } from '../feed-key.ts';

export type Git = ReturnType<typeof createGit>;

export type GitRun = {
  readonly input?: string;
  readonly isWhole?: boolean;
  /** Calls that need no key do not get it. */
  readonly isKeySent?: boolean;
  /** NODE_EXTRA_CA_CERTS counts, instead of the machine's authorities. */
  readonly isExtraTrusted?: boolean;
};

export type GitKey = {
  /** It goes to addresses below this one only. */
  readonly url: string;
  readonly value: FeedKey;
  /** Not through a proxy either, whatever git's settings say. */
  readonly isDirect: boolean;
  /** Sent with the key, for the audit log of our server (server/http/reason.ts). */
  readonly reason?: string | undefined;
};

export type GitAccess = {
  readonly dir: string;
  /** The machine's environment, of which git gets its own variables: a person's credential helpers, ssh and proxies work. */
  readonly env: Environment;
  readonly named?: readonly string[];
  readonly signal: AbortSignal;
  readonly key?: GitKey | undefined;
};

/**
 * git by simple-git. The key is handed over in the environment (GIT_CONFIG_COUNT): an argument or a URL could be read by every
 * user of the machine and would be in git's messages.
 */
export function createGit(access: GitAccess) {
  const outer = gitEnvironment(access.env, access.named);
  const extra = access.env.NODE_EXTRA_CA_CERTS ? resolve(access.env.NODE_EXTRA_CA_CERTS) : undefined;
  return {
    hasKey: access.key !== undefined,
    hasExtraAuthorities: extra !== undefined,
    /**
     * Runs git in `dir` and gives its output without the last line end (`isWhole`: with it).
     * @throws GitError of simple-git with git's own words; ReleaseError PROGRAM_MISSING
     */
    async run(args: readonly string[], options: GitRun = {}): Promise<string> {
      const { input, isWhole = false, isKeySent = false, isExtraTrusted = false } = options;
      const trust = isExtraTrusted && extra !== undefined ? { GIT_SSL_CAINFO: extra } : {};
      const settings = [
        ...(access.key === undefined ? [] : await keySettings(access.key, isKeySent)),
        // Windows' own TLS reads a file only with this setting
        ...(isExtraTrusted ? [['http.schannelUseSSLCAInfo', 'true'] as const] : []),
      ];
      // after the person's own
      const config = settingVariables(outer, settings);
      const complete = { ...outer, ...config, ...trust, GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' };
      const git = simpleGit({
        baseDir: access.dir,
        abort: access.signal,
        trimmed: !isWhole,
        // simple-git guards against variables and settings that come from strangers; all of these are the person's own.
        allowEnvironment: Object.keys(complete),
        unsafe,
        ...(input === undefined ? {} : { input: () => input }),
      });
      try {
        return await git.env(complete).raw([...args]);
      } catch (error) {
        if (error instanceof Error && /spawn git(\.exe)? ENOENT/.test(error.message))
          fail('PROGRAM_MISSING', { program: 'git' }, error);
        throw error;
      }
    },
  };
}

/**
 * An empty credential.helper: a refused key must end in a sentence, not in a window that asks for a password. No redirects: git
 * would send the header to wherever the first answer pointed.
 */
async function keySettings(
  { url, value, isDirect, reason }: GitKey,
  isKeySent: boolean,
): Promise<readonly GitSetting[]> {
  const parent = currentTraceParent();
  const headers = !isKeySent
    ? []
    : [
        `Authorization: Bearer ${await currentKey(value)}`,
        ...(reason === undefined ? [] : [`X-Reason: ${encodeURIComponent(reason)}`]),
        ...(parent === undefined ? [] : [`traceparent: ${parent}`]),
      ];
  return [
    ...headers.map((header) => [`http.${url}.extraHeader`, header] as const),
    ...(isDirect ? [[`http.${url}.proxy`, ''] as const] : []),
    [`http.${url}.followRedirects`, 'false'],
    [`credential.${url}.helper`, ''],
  ];
}

const unsafe = {
  allowUnsafeAlias: true,
  allowUnsafeAskPass: true,
  allowUnsafeConfigEnvCount: true,
  allowUnsafeConfigPaths: true,
  allowUnsafeCredentialHelper: true,
  allowUnsafeEditor: true,
  allowUnsafeExec: true,
  allowUnsafeGitProxy: true,
  allowUnsafePager: true,
  allowUnsafeSshCommand: true,
  allowUnsafeTemplateDir: true,
  allowUnsafeUrlRewrite: true,
} as const;

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
