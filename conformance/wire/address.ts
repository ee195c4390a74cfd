/** An address taken apart without changing a character of it: quotes and parentheses go out as real clients send them. */
export type Address = {
  readonly isSecure: boolean;
  readonly hostname: string;
  readonly port: number;
  /** `http://host:port`, as written. */
  readonly origin: string;
  /** Path and query, as written; begins with a slash. */
  readonly target: string;
};

/** Undefined for what is no absolute http(s) address. `new URL` would turn `'` in a query into `%27`, which .NET does not. */
export function parseAddress(text: string): Address | undefined {
  const [, scheme, authority, rest = ''] = /^(https?):\/\/([^/?#\s]+)([^#\s]*)/i.exec(text) ?? [];
  if (scheme === undefined || authority === undefined) return undefined;
  const origin = `${scheme}://${authority}`;
  if (!URL.canParse(origin)) return undefined;
  const isSecure = scheme.toLowerCase() === 'https';
  const { hostname, port } = new URL(origin);
  return {
    isSecure,
    hostname: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (isSecure ? 443 : 80) : Number(port),
    origin,
    target: rest.startsWith('/') ? rest : `/${rest}`,
  };
}
