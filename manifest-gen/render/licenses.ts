/**
 * Licences of Go modules as SPDX expressions: a path, or all paths below one that ends in /. Build info names none, so only what
 * holds for every version of a module stands here; of all others the SBOM says nothing.
 */
const known: readonly (readonly [path: string, license: string])[] = [
  ['stdlib', 'BSD-3-Clause'],
  ['golang.org/x/', 'BSD-3-Clause'],
  ['google.golang.org/grpc', 'Apache-2.0'],
  ['google.golang.org/protobuf', 'BSD-3-Clause'],
  ['github.com/spf13/cobra', 'Apache-2.0'],
  ['github.com/spf13/pflag', 'BSD-3-Clause'],
  ['github.com/klauspost/compress', 'Apache-2.0 AND BSD-3-Clause AND MIT'],
  // whoever passes these on has to say where their source is (spec upstream 7)
  ['github.com/hashicorp/golang-lru', 'MPL-2.0'],
  ['github.com/hashicorp/go-version', 'MPL-2.0'],
  ['github.com/hashicorp/go-multierror', 'MPL-2.0'],
  ['github.com/hashicorp/go-cleanhttp', 'MPL-2.0'],
  ['github.com/hashicorp/go-retryablehttp', 'MPL-2.0'],
  ['github.com/hashicorp/errwrap', 'MPL-2.0'],
];

/** Undefined when nobody here knows. */
export function knownLicense(modulePath: string): string | undefined {
  return known.find(([path]) =>
    path.endsWith('/') ? modulePath.startsWith(path) : modulePath === path,
  )?.[1];
}
