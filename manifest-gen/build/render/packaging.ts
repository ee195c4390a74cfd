import { createHash } from 'node:crypto';
import type { Templates } from '../../tool-file/templates.ts';
import type { Tool } from '../../tool-file/tools.ts';

/**
 * Raise it whenever our code makes other bytes from the same inputs (zip writer, compressor, nuspec, VERIFICATION, record,
 * manifest): this makes a new beta of an unchanged upstream version.
 */
const packagingNumber = 3;

/**
 * Which recipe packs a release: our number and the SHA-256 over tool file and templates, `1:6f0c...`. Over their meaning, not
 * their bytes: comments and layout of the YAML don't count, nor (templates.ts) the line endings of a Windows checkout. Nor does
 * what changes no byte of package or manifest: which versions are taken, which machines get them first, and which evidence must be
 * there (all that is found is recorded, demanded or not).
 */
export function packagingOf(tool: Tool, { nuspecFile: _where, ...templates }: Templates): string {
  const recipe = canonicalJson([withoutChoices(tool), templates]);
  return `${packagingNumber}:${createHash('sha256').update(recipe).digest('hex')}`;
}

function withoutChoices({ first: _1, versions: _2, minAge: _3, rollout: _6, trust, ...rest }: Tool): object {
  const { require: _4, provenance: _5, ...whom } = trust;
  return { ...rest, trust: whom };
}

/** Without the path of a trusted root: it differs by machine, and a newer root does not change the bytes. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (key, inner: unknown) => {
    if (key === 'trustedRoot') return undefined;
    return isRecord(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner;
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
