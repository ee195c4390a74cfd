export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Which variables child programs inherit: what they need to run, and their own. Everything else is dropped: keys and tokens of
 * other programs, and whatever could change the result. A name that ends in `*` is a prefix.
 */
const living = `
  PATH PATHEXT HOME HOMEDRIVE HOMEPATH USER LOGNAME USERNAME USERPROFILE TMPDIR TMP TEMP LANG LANGUAGE LC_*
  APPDATA LOCALAPPDATA PROGRAMDATA PROGRAMFILES PROGRAMFILES(X86) PROGRAMW6432
  SYSTEMROOT SYSTEMDRIVE WINDIR COMSPEC XDG_CONFIG_HOME XDG_CACHE_HOME
  HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY SSL_CERT_FILE SSL_CERT_DIR NETRC`;

/** Where modules come from and who vouches for them, as `go env` reads it; nothing of it goes on to a build by itself. */
const go = 'GOENV GOPROXY GONOPROXY GOSUMDB GONOSUMDB GOPRIVATE';

/** npm's settings have names of their own; what its files name is added (manifest-gen/sources/npm/client.ts). */
const npm = 'NPM_CONFIG_* NODE_EXTRA_CA_CERTS NODE_USE_SYSTEM_CA PREFIX';

/** A person's credential helpers, SSH agent, keyring and Kerberos ticket work for a bucket at another host. */
const git = `
  GIT_* GCM_* SSH_* DISPLAY WAYLAND_DISPLAY XAUTHORITY XDG_RUNTIME_DIR XDG_DATA_HOME DBUS_SESSION_BUS_ADDRESS
  GNUPGHOME GPG_TTY PASSWORD_STORE_DIR KRB5CCNAME KRB5_CONFIG`;

/**
 * What git must not inherit of these: another repository (set while it runs a hook), another author, and traces, which write
 * request headers to where errors are read from.
 */
const notGit = `
  GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_COMMON_DIR GIT_NAMESPACE
  GIT_PREFIX GIT_QUARANTINE_PATH GIT_SHALLOW_FILE GIT_TEMPLATE_DIR GIT_AUTHOR_* GIT_COMMITTER_* GIT_TRACE* GIT_CURL_VERBOSE
  GIT_EXTERNAL_DIFF GIT_PUSH_OPTION_*`;

/** A card's PIN, a vault's credentials and the configuration of OpenSSL. The command itself may hold a secret that only it needs. */
const signing = 'SIGN_* PKCS11_* OPENSSL_* AZURE_*';
const notSigning = 'SIGN_COMMAND';

/** For programs that are given the rest by us. */
export const livingEnvironment = (env: Environment): Environment => pick(env, living);
export const goEnvironment = (env: Environment): Environment => pick(env, `${living} ${go}`);
/** @param named variables that npm's own files name, such as `NPM_TOKEN` */
export function npmEnvironment(env: Environment, named: readonly string[]): Environment {
  // of what is said to Node, only which certificates count
  const trust = env.NODE_OPTIONS?.match(/--use-(system|openssl|bundled)-ca\b/g)?.join(' ');
  const picked = pick(env, `${living} ${npm} ${named.join(' ')}`);
  return trust === undefined ? picked : { ...picked, NODE_OPTIONS: trust };
}
/** For SIGN_COMMAND. */
export const signingEnvironment = (env: Environment): Environment =>
  pick(env, `${living} ${signing}`, notSigning);
/** @param named variables that a credential helper names */
export const gitEnvironment = (env: Environment, named: readonly string[] = []): Environment =>
  pick(env, `${living} ${git} ${named.join(' ')}`, notGit);

/** In any case, as Windows and proxies have them. */
function pick(env: Environment, wanted: string, unwanted = ''): Environment {
  const isWanted = matcher(wanted);
  const isUnwanted = matcher(unwanted);
  const entries = Object.entries(env).filter(
    ([name, value]) => value !== undefined && isWanted(name) && !isUnwanted(name),
  );
  return Object.fromEntries(entries);
}

function matcher(list: string): (name: string) => boolean {
  const names = list
    .toUpperCase()
    .split(/\s+/)
    .filter((name) => name !== '');
  const whole = new Set(names);
  const beginnings = names.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1));
  return (name) => {
    const upper = name.toUpperCase();
    return whole.has(upper) || beginnings.some((beginning) => upper.startsWith(beginning));
  };
}
