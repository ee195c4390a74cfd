import type { SourceOf } from '../../tool-file/sources.ts';

type Source = Pick<SourceOf<'github'>, 'repository' | 'tag'>;

export function githubTag({ tag }: Source, version: string): string {
  return tag.replace('{version}', version);
}

/** As records name it, wherever the forge was asked. */
export function githubUpstream(source: Source, version: string): string {
  return `github.com/${source.repository}@${githubTag(source, version)}`;
}

/** Where everybody finds the file of a release. */
export function githubAssetUrl(source: Source, version: string, name: string): string {
  const tag = encodeURIComponent(githubTag(source, version));
  return `https://github.com/${source.repository}/releases/download/${tag}/${encodeURIComponent(name)}`;
}
