/** Makes other programs' text safe to show: `https://user:password@host` loses everything before the @. */
export function hideCredentials(text: string): string {
  // Up to the last @, where git and curl see the host: a password may contain one.
  return text.replace(/(\w:\/\/)[^\s/"]+@/g, '$1');
}

/** Headers, by name, whose values are secret. */
const secretHeaders = ['authorization', 'proxy-authorization', 'x-nuget-apikey', 'cookie'];
/** Anything shorter is no secret, and would match parts of ordinary words. */
const minLength = 4;

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Makes a server's answer safe to show: it may repeat the key from `headers` that it was sent. */
export function hideSent(text: string, headers: Headers): string {
  const sent = Object.entries(headers).flatMap(([name, value]) =>
    secretHeaders.includes(name.toLowerCase()) ? (value ?? []) : [],
  );
  const longestFirst = sent
    .flatMap(spellingsOf)
    .filter((secret) => secret.length >= minLength)
    .sort((one, other) => other.length - one.length);
  return hideCredentials(longestFirst.reduce((shown, secret) => shown.replaceAll(secret, '***'), text));
}

/** `Basic dTpw`, `dTpw`, `u:p` and `p`. */
function spellingsOf(value: string): string[] {
  const [scheme = '', token = ''] = value.split(/\s+/, 2);
  if (!/^basic$/i.test(scheme)) return [value, token];
  const pair = Buffer.from(token, 'base64').toString('utf8');
  return [value, token, pair, pair.slice(pair.indexOf(':') + 1)];
}
