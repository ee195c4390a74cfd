import * as z from 'zod';
import { minisignKeyId } from '../../formats/minisign.ts';
import { EvidenceKind, type SourceKind } from '../../formats/release-record.ts';
import { ruleFor, Versions } from './version-rules.ts';

/** The original source of files: a bundle has to meet the requirements for the source that it was made from. */
type Origin = Exclude<SourceKind, 'bundle'>;

export const EvidenceKinds = z.array(EvidenceKind);

/** One list, or one by upstream version, first match: upstreams begin to sign, and change how. */
const Demand = z.union([
  EvidenceKinds,
  z
    .array(z.strictObject({ versions: Versions.optional(), evidence: EvidenceKinds }))
    // a version that no rule has must not pass as one that needs no evidence
    .refine(
      (rules) => rules.at(-1)?.versions === undefined,
      'does not end with a rule for all other versions',
    )
    .refine((rules) => rules.length > 0, 'has no rule'),
]);

/** Who signs without a key of their own: what a certificate of the authority must say of them. */
const Signer = z.strictObject({
  /** The whole subject of the certificate, never a pattern; `{version}` and `{tag}` are filled in. */
  identity: z.string().min(1),
  /** Who vouched for the identity: `https://token.actions.githubusercontent.com`. */
  issuer: z.string().min(1),
  /** A file with a trusted root (JSON of Sigstore's TrustedRoot), from the folder of the YAML; else that of the public good instance. */
  trustedRoot: z.string().optional(),
});
export type Signer = z.infer<typeof Signer>;

/** As minisign prints it; checked here, since no signature could match an invalid key. */
const MinisignKey = z
  .string()
  .refine((text) => minisignKeyId(text) !== undefined, 'is not a public key in the form of minisign (RW...)');

/** Who vouches for a tool, and which evidence must be there. TRUST_FILE replaces it as a whole (trust-file.ts). */
export const Trust = z.strictObject({
  /** One requirement for every source, or one for each: a checksum file exists at a forge, a checksum database for modules. */
  require: z.union([
    EvidenceKinds,
    z.strictObject({
      github: Demand.optional(),
      npm: Demand.optional(),
      'go-module': Demand.optional(),
    }),
  ]),
  /** npm's provenance is demanded of each version whose metadata names attestations: an npm project began with it at some version. */
  provenance: z.literal('where-attested').optional(),
  minisign: z.strictObject({ keys: z.array(MinisignKey).min(1) }).optional(),
  /** Of the checksum file's signature, of build attestations and of npm's provenance. */
  sigstore: Signer.optional(),
  /** Of the exe itself, by osslsigncode or signtool. An extension: the contract names no key for it. */
  authenticode: z
    .strictObject({
      /** The whole subject of the signer's certificate as PowerShell prints it: `CN=Example Ltd, O=Example Ltd, C=DE`. */
      publisher: z.string().min(1),
      /** A PEM file with the roots of signers and timestamps; read when the tool is (trust-roots.ts). */
      roots: z.string().min(1),
    })
    .optional(),
});
export type Trust = z.infer<typeof Trust>;

/** The sources for which the trust has no list, not even an empty one: they were forgotten. */
export function unlistedSources<Kind extends Origin>(
  { require }: Trust,
  kinds: readonly Kind[],
): readonly Kind[] {
  return kinds.filter((kind) => demandOf(require, kind) === undefined);
}

/** The kinds of evidence that must have passed for a release of this version from this source; `absent` is then not enough. */
export function requiredEvidence(
  { trust }: { readonly trust: Trust },
  kind: Origin,
  version: string,
): readonly EvidenceKind[] {
  const demand = demandOf(trust.require, kind) ?? [];
  return isRules(demand) ? (ruleFor(demand, version)?.evidence ?? []) : demand;
}

type Demand = z.infer<typeof Demand>;
type Rules = Exclude<Demand, EvidenceKind[]>;

function demandOf(require: Trust['require'], kind: Origin): Demand | undefined {
  return Array.isArray(require) ? require : require[kind];
}

function isRules(demand: Demand): demand is Rules {
  return typeof demand[0] === 'object';
}
