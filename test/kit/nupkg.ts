import AdmZip from 'adm-zip';

export type NupkgOptions = {
  readonly id?: string;
  readonly version?: string;
  /** Further elements of the nuspec's metadata, by name; undefined leaves one of the usual ones out. */
  readonly metadata?: Readonly<Record<string, string | undefined>>;
  /** XML that goes into metadata as it is, such as `<dependencies>`. */
  readonly metadataXml?: string;
  /** The whole nuspec instead of the one made here; undefined leaves it out when the key is given. */
  readonly nuspec?: string;
  /** Further entries by name. */
  readonly files?: Readonly<Record<string, string | Buffer>>;
  /** Without compression, which takes a second for 30 MB of noise and makes them no smaller. */
  readonly isStored?: boolean;
};

/** A small valid package (or one with exactly the fault that a test wants). */
export function makeNupkg(options: NupkgOptions = {}): Buffer {
  const { id = 'sample', version = '1.0.0', files = {}, isStored = false } = options;
  const nuspec = 'nuspec' in options ? options.nuspec : makeNuspec(options);
  const entries: Record<string, string | Buffer | undefined> = {
    '[Content_Types].xml': contentTypes,
    '_rels/.rels': relationships(id),
    [`${id}.nuspec`]: nuspec,
    'tools/readme.txt': `${id} ${version}\n`,
    ...files,
  };
  const zip = new AdmZip();
  for (const [name, content] of Object.entries(entries)) {
    if (content !== undefined) {
      zip.addFile(name, Buffer.from(content));
      const entry = zip.getEntry(name);
      if (entry !== null) {
        entry.header.time = new Date(1980, 0, 1);
        if (isStored) entry.header.method = 0;
      }
    }
  }
  return zip.toBuffer();
}

function makeNuspec({
  id = 'sample',
  version = '1.0.0',
  metadata = {},
  metadataXml = '',
}: NupkgOptions): string {
  const elements = {
    id,
    version,
    title: id,
    authors: 'go-win-tools tests',
    description: `The package ${id}.`,
    tags: 'sample test',
    ...metadata,
  };
  const lines = Object.entries(elements).flatMap(([name, text]) =>
    text === undefined ? [] : [`    <${name}>${escapeXml(text)}</${name}>`],
  );
  return [
    '<?xml version="1.0" encoding="utf-8"?>',
    '<package xmlns="http://schemas.microsoft.com/packaging/2015/06/nuspec.xsd">',
    '  <metadata>',
    ...lines,
    metadataXml,
    '  </metadata>',
    '</package>',
    '',
  ].join('\n');
}

function escapeXml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

const contentTypes =
  '<?xml version="1.0" encoding="utf-8"?>\n' +
  '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">' +
  '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>' +
  '<Default Extension="nuspec" ContentType="application/octet"/>' +
  '<Default Extension="txt" ContentType="application/octet"/></Types>\n';

function relationships(id: string): string {
  return (
    '<?xml version="1.0" encoding="utf-8"?>\n' +
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">' +
    `<Relationship Type="http://schemas.microsoft.com/packaging/2010/07/manifest" Target="/${id}.nuspec" Id="R1"/>` +
    '</Relationships>\n'
  );
}
