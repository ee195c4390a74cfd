import type { ReleaseRecord } from '../../formats/release-record.ts';
import type { SourceOf, UpstreamKind } from './sources.ts';
import { sourceOf, type Tool } from './tools.ts';

/** In what the kinds of sources differ, apart from how they are asked: a new kind needs a row. */
type SourceFacts = {
  /** Who compiled its exes. */
  readonly builtBy: ReleaseRecord['builtBy'];
  /** Whether a release has files of its own, under its own address, with digests that a mirror may lack. */
  readonly hasReleaseFiles: boolean;
  /** Whether its registry signs its packages and may name who built them (`trust: provenance:`). */
  readonly hasProvenance: boolean;
  /** Whether a record that a bundle brought is of this kind: its own `source.kind` says no more than `bundle`. */
  readonly isBundled: (record: Pick<ReleaseRecord, 'source' | 'payloads'>) => boolean;
};

const isBuiltHere: SourceFacts['isBundled'] = ({ payloads }) =>
  payloads.some(({ goModule }) => goModule !== undefined);

export const sourceFacts: Readonly<Record<UpstreamKind, SourceFacts>> = {
  github: {
    builtBy: 'upstream',
    hasReleaseFiles: true,
    hasProvenance: false,
    isBundled: (record) => !isBuiltHere(record) && record.source.upstream.startsWith('github.com/'),
  },
  npm: {
    builtBy: 'upstream',
    hasReleaseFiles: false,
    hasProvenance: true,
    isBundled: (record) => !isBuiltHere(record) && record.source.upstream.startsWith('npm:'),
  },
  'go-module': {
    builtBy: 'feed',
    hasReleaseFiles: false,
    hasProvenance: false,
    isBundled: isBuiltHere,
  },
};

/** The fields of a forge, where the files came from one; undefined for another kind. */
export function forgeOf(tool: Tool, kind: UpstreamKind): SourceOf<'github'> | undefined {
  switch (kind) {
    case 'github':
      return sourceOf(tool, kind);
    case 'npm':
    case 'go-module':
      return undefined;
    default:
      return kind satisfies never;
  }
}
