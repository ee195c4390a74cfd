/** As records name it, whichever registry was asked: `npm:@acme/tool-win32-x64@1.2.3`. */
export function npmUpstream(name: string, version: string): string {
  return `npm:${name}@${version}`;
}

/** The tarball as npm itself names it: `acme-tool-win32-x64-1.2.3.tgz`. */
export function npmFile(name: string, version: string): string {
  return `${name.replace(/^@/, '').replace('/', '-')}-${version}.tgz`;
}
