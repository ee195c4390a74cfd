/** Text of other programs as it may be shown: `https://user:password@host` loses what stands before the @. */
export function hideCredentials(text: string): string {
  // up to the last @, which is where git and curl see the host: a password may have one in it
  return text.replace(/(\w:\/\/)[^\s/"]+@/g, '$1');
}

/** Headers, by name, whose values are nobody's business. */
const secretHeaders = ['authorization', 'proxy-authorization', 'x-nuget-apikey', 'cookie'];
/** Anything shorter is no secret, and would be found in every word. */
const minLength = 4;

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What a server says, as it may be shown: it may repeat the key that it was sent, which then stands in `headers`. */
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
