import type { Declaration } from './declaration.ts';
import type { Finding } from './finding.ts';

export const imageKinds = ['linux', 'windows'] as const;
export type ImageKind = (typeof imageKinds)[number];

/** Base images that may be another one tomorrow, and images that are larger than they may be. @param sizes in bytes */
export function checkImages(
  { images }: Declaration,
  sizes: ReadonlyMap<ImageKind, number>,
): readonly Finding[] {
  return imageKinds.flatMap((kind) => {
    const { base, limit } = images[kind];
    const findings: Finding[] = [];
    if (!base.includes('@sha256:'))
      findings.push({
        about: `images.${kind}`,
        kind: 'unpinned',
        what: `the base image ${base} has no digest`,
        next: `\`docker buildx imagetools inspect ${base}\` or \`skopeo inspect docker://${base}\` shows it: write ${base}@sha256:DIGEST into devbox.yaml, and run \`devbox:create\`.`,
      });
    const bytes = sizes.get(kind);
    if (bytes !== undefined && bytes > limit * 1_000_000)
      findings.push({
        about: `images.${kind}`,
        kind: 'too large',
        what: `expected at most ${limit} MB, found ${(bytes / 1_000_000).toFixed(1)} MB`,
        next: 'Take out what the image does not need, or raise limit in devbox.yaml.',
      });
    return findings;
  });
}
