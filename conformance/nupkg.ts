import { strToU8, zipSync } from 'fflate';

export type Recipe = {
  readonly id: string;
  readonly version: string;
  readonly title?: string;
  readonly description?: string;
  readonly summary?: string;
  readonly tags?: string;
  readonly dependencies?: readonly { readonly id: string; readonly range?: string }[];
};

/** A small package as `choco pack` would make it, from nothing but its recipe. */
export function makePackage(recipe: Recipe): Buffer {
  return zip({
    '[Content_Types].xml': contentTypes,
    '_rels/.rels': relationships(recipe.id),
    [`${recipe.id}.nuspec`]: makeNuspec(recipe),
    'tools/readme.txt': `${recipe.id} ${recipe.version}: made by feed:conformance, safe to delete.\n`,
  });
}

export function zip(files: Readonly<Record<string, string>>): Buffer {
  const entries = Object.entries(files).map(([name, text]) => [name, strToU8(text)] as const);
  return Buffer.from(zipSync(Object.fromEntries(entries), { mtime: new Date(1980, 0, 1) }));
}

export function makeNuspec({
  id,
  version,
  title,
  description,
  summary,
  tags,
  dependencies = [],
}: Recipe): string {
  const elements = {
    id,
    version,
    title: title ?? id,
    authors: 'feed:conformance',
    description: description ?? 'A package of feed:conformance; it may be deleted.',
    summary: summary ?? 'Made to check the feed.',
    tags: tags ?? 'conformance',
  };
  const items = dependencies.map(
    ({ id, range }) => `<dependency id="${id}"${range ? ` version="${escapeXml(range)}"` : ''}/>`,
  );
  return [
    '<?xml version="1.0" encoding="utf-8"?>',
    // The oldest namespace that packers still write: some servers know no other.
    '<package xmlns="http://schemas.microsoft.com/packaging/2010/07/nuspec.xsd"><metadata>',
    ...Object.entries(elements).map(([name, text]) => `<${name}>${escapeXml(text)}</${name}>`),
    ...(items.length > 0 ? [`<dependencies>${items.join('')}</dependencies>`] : []),
    '</metadata></package>',
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
