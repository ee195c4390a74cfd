import type { ReleaseRecord } from '../../formats/release-record.ts';
import type { UpstreamKind } from '../tool-file/tools.ts';

/** The original source of a recorded release, even if a bundle brought it here. */
export function originOf({ source, payloads }: ReleaseRecord): UpstreamKind {
  if (source.kind !== 'bundle') return source.kind;
  if (payloads.some(({ goModule }) => goModule !== undefined)) return 'go-module';
  return source.upstream.startsWith('npm:') ? 'npm' : 'github';
}

/** The Go that built a recorded release; undefined for upstream's own builds. */
export function toolchainOf({ payloads }: ReleaseRecord): string | undefined {
  return payloads.find(({ architecture }) => architecture === 'amd64')?.goModule?.toolchain;
}
