import type { ZipEntry } from './zip-writer.ts';

/**
 * The two parts by which OPC readers find their way in a package. There is no core-properties part: NuGet.Core's ZipPackage
 * (choco 0.10.15, 1.x) finds the nuspec by the manifest relationship and never opens it, newer readers ignore OPC.
 * @param extensions every one that is in the package; System.IO.Packaging does not see a part without a type
 */
export function opcParts(id: string, extensions: readonly string[]): readonly ZipEntry[] {
  return [
    textEntry('[Content_Types].xml', contentTypes(extensions)),
    textEntry('_rels/.rels', relationships(id)),
  ];
}

export function textEntry(name: string, content: string): ZipEntry {
  return { name, content: [Buffer.from(content, 'utf8')] };
}

function contentTypes(extensions: readonly string[]): string {
  const types = extensions.map(
    (extension) => `  <Default Extension="${extension}" ContentType="application/octet" />\n`,
  );
  return `<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
  <Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml" />
${types.join('')}</Types>
`;
}

function relationships(id: string): string {
  return `<?xml version="1.0" encoding="utf-8"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
  <Relationship Type="http://schemas.microsoft.com/packaging/2010/07/manifest" Target="/${id}.nuspec" Id="manifest" />
</Relationships>
`;
}
