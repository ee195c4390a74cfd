import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';

/** An address without its socket-specific parts: `::ffff:10.0.0.1` is 10.0.0.1, and `fe80::1%eth0` is fe80::1. */
export function plainAddress(address: string): string {
  const [bare = ''] = address.split('%');
  const [, mapped = ''] = /^::ffff:([\d.]+)$/i.exec(bare) ?? [];
  return isIPv4(mapped) ? mapped : bare;
}

/** `10.0.0.0/8`, `2001:db8::/32`, or one address. IPv4 is written as IPv4: `::ffff:0:0/96` would match no client. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const maxBits = { 4: 32, 6: 128 }[isIP(address)];
  if (maxBits === undefined || rest.length > 0 || /%|^::ffff:/i.test(address)) return false;
  return bits === undefined || (/^(0|[1-9]\d{0,2})$/.test(bits) && Number(bits) <= maxBits);
}

/** Whether the address is in one of the networks (`isNetwork`). Invalid addresses are in none. */
export function isInNetworks(address: string, networks: readonly string[]): boolean {
  const plain = plainAddress(address);
  if (isIP(plain) === 0) return false;
  const family = familyOf(plain);
  let list = lists[family].get(networks);
  if (list === undefined) {
    list = listOf(networks, family);
    lists[family].set(networks, list);
  }
  return list.check(plain, family);
}

type Family = 'ipv4' | 'ipv6';
/** Kept with the networks that they are made from, since making one takes much longer than asking it. */
const lists: Readonly<Record<Family, WeakMap<readonly string[], BlockList>>> = {
  ipv4: new WeakMap(),
  ipv6: new WeakMap(),
};

/** Of one family, since Node finds every IPv4 address in ::/0. */
function listOf(networks: readonly string[], family: Family): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [base = '', bits] = network.split('/');
    if (familyOf(base) === family)
      list.addSubnet(base, Number(bits ?? (family === 'ipv4' ? 32 : 128)), family);
  }
  return list;
}

const loopback = ['127.0.0.0/8', '::1'];

export function isLoopbackAddress(address: string): boolean {
  return isInNetworks(address, loopback);
}

/** Whether a host of an address, or the folder of a Unix socket, is reached without leaving this machine. */
export function isLocalHost(host: string): boolean {
  return host === 'localhost' || host.startsWith('/') || isLoopbackAddress(host.replace(/^\[|\]$/g, ''));
}

function familyOf(address: string): Family {
  return isIPv4(address) ? 'ipv4' : 'ipv6';
}

/** The names that Express has for these (setting TRUST_PROXY). */
const namedNetworks: Readonly<Record<string, readonly string[]>> = {
  loopback,
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
};

/** Whether TRUST_PROXY covers the address: networks, addresses and Express' names for some of them. */
export function isTrustedAddress(address: string, trusted: readonly string[]): boolean {
  return isInNetworks(
    address,
    trusted.flatMap((one) => namedNetworks[one] ?? [one]),
  );
}

/**
 * The unit by which clients are counted: a single IPv4 address, or an IPv6 network of 64 bits, which usually belongs to one
 * client.
 */
export function addressGroup(address: string): string {
  const plain = plainAddress(address);
  if (!isIPv6(plain)) return plain;
  const [head = [], tail = []] = plain
    .split('::')
    .map((part) => part.split(':').filter((word) => word !== ''));
  const gap = Math.max(0, 8 - head.length - tail.length);
  const words = [...head, ...Array<string>(gap).fill('0'), ...tail];
  return `${words.slice(0, 4).join(':')}::/64`.toLowerCase();
}
