import * as z from 'zod';

/** The values in a Scoop manifest (spec scoop 3.1), in the order in which they are printed. */

export const Texts = z.union([z.string(), z.array(z.string()).min(1)], 'expected a text or a list of texts');
export const TextsOrLists = z.union(
  [z.string(), z.array(Texts).min(1)],
  'expected a text, or a list of texts and lists of texts',
);
export const Shortcuts = z.array(z.array(z.string()).min(2).max(4)).min(1);
export const AnyObject = z.record(z.string(), z.unknown());

export const Address = z.string().refine(isAddress, 'expected an absolute address');
/** A concrete address; `$version` and similar placeholders belong into autoupdate. */
const DownloadAddress = Address.refine((text) => !text.includes('$'), 'expected an address without $');
// Scoop's schema does not limit the length, but a hash with a wrong length never matches.
const Hash = z
  .string()
  .regex(
    /^(?:(?:sha256:)?[0-9a-f]{64}|sha1:[0-9a-f]{40}|sha512:[0-9a-f]{128}|md5:[0-9a-f]{32})$/i,
    'expected 64 hex digits, or sha1:, sha256:, sha512: or md5: and as many as that has',
  );
export const DownloadAddresses = oneOrMany(DownloadAddress);
export const Addresses = oneOrMany(Address);
export const Hashes = oneOrMany(Hash);

export const License = z.union([
  z.string(),
  z.strictObject({ identifier: z.string(), url: Address.optional() }),
]);
export const Module = z.strictObject({ name: z.string().optional() });
export const Installer = z.strictObject({
  _comment: z.string().optional(),
  file: z.string().optional(),
  args: Texts.optional(),
  script: Texts.optional(),
  keep: z.boolean().optional(),
});
export const InstallerFile = z.strictObject({ file: z.string().optional() });
export const Uninstaller = z
  .looseObject({ file: z.string().optional(), args: Texts.optional(), script: Texts.optional() })
  .refine(
    ({ file, script }) => (file === undefined) !== (script === undefined),
    'expected either file or script',
  );

const JsonPath = z.string().regex(/^\$[.[]/, 'expected a JSON path that begins with $. or $[');
// The patterns are .NET's, so we cannot check whether they are valid.
export const Checkver = z.union([
  z.string(),
  z.strictObject({
    github: Address.optional(),
    url: Address.optional(),
    useragent: z.string().optional(),
    script: Texts.optional(),
    sourceforge: z
      .union([z.string(), z.strictObject({ project: z.string().optional(), path: z.string().optional() })])
      .optional(),
    jsonpath: JsonPath.optional(),
    jp: JsonPath.optional(),
    xpath: z.string().optional(),
    regex: z.string().optional(),
    re: z.string().optional(),
    reverse: z.boolean().optional(),
    replace: z.string().optional(),
  }),
]);
const HashExtraction = z.strictObject({
  mode: z
    .enum(['download', 'extract', 'json', 'xpath', 'rdf', 'metalink', 'fosshub', 'sourceforge'])
    .optional(),
  type: z.enum(['md5', 'sha1', 'sha256', 'sha512']).optional(),
  url: z
    .string()
    .refine(
      (text) => isAddress(text) || /\$(?:url|baseurl)/.test(text),
      'expected an address, $url or $baseurl',
    )
    .optional(),
  jsonpath: JsonPath.optional(),
  jp: JsonPath.optional(),
  xpath: z.string().optional(),
  regex: z.string().optional(),
  find: z.string().optional(),
});
export const HashExtractions = z.union([HashExtraction, z.array(HashExtraction).min(1)]);

export function byArchitecture<Block extends z.ZodType>(block: Block) {
  return z.strictObject({
    '64bit': block.optional(),
    '32bit': block.optional(),
    arm64: block.optional(),
  });
}

function oneOrMany<Item extends z.ZodType<string>>(item: Item) {
  const isUnique = (items: readonly string[]) => new Set(items).size === items.length;
  return z.union([item, z.array(item).min(1).refine(isUnique, 'expected nothing twice')]);
}

/** A scheme and the characters of RFC 3986. */
function isAddress(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:[!#-;=?-[\]_a-z~]+$/i.test(text);
}
