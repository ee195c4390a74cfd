import { Builder } from 'xml2js';
import { fail, isProgramFault, quoted } from './format-error.ts';
import { isEveryVersion, parseNuGetRange } from './nuget-range.ts';
import { dependencyElements, type NuspecDependency, readDependencies } from './nuspec-dependencies.ts';
import { checkForm } from './nuspec-fields.ts';
import { readSdkFields, type SdkFields, sdkElements } from './nuspec-sdk.ts';
import { readXml, type XmlElement, type XmlLimits } from './xml.ts';

/** The metadata of a package with Chocolatey's extensions. Texts are trimmed; empty ones are absent. */
export type Nuspec = SdkFields & {
  readonly id: string;
  /** As written. */
  readonly version: string;
  readonly title?: string;
  readonly authors: string;
  readonly owners?: string;
  readonly description?: string;
  readonly summary?: string;
  readonly releaseNotes?: string;
  readonly copyright?: string;
  readonly language?: string;
  readonly tags: readonly string[];
  readonly projectUrl?: string;
  readonly licenseUrl?: string;
  readonly iconUrl?: string;
  readonly projectSourceUrl?: string;
  readonly packageSourceUrl?: string;
  readonly docsUrl?: string;
  readonly mailingListUrl?: string;
  readonly bugTrackerUrl?: string;
  readonly wikiUrl?: string;
  readonly requireLicenseAcceptance: boolean;
  readonly developmentDependency: boolean;
  readonly minClientVersion?: string;
  readonly dependencies: readonly NuspecDependency[];
  /** The files that `choco pack` includes; other tools' packages rarely keep this list. */
  readonly files?: readonly NuspecFile[];
};

export type NuspecFile = { readonly src: string; readonly target: string };

/**
 * Reads a nuspec with any namespace year. Refuses what a client could not read later: one bad version, range or address breaks a
 * whole page of a feed (spec nuget-v2 9.5, 13).
 * @throws FormatError XML_*, NUSPEC_*
 */
export async function readNuspec(xml: Uint8Array | string, limits?: XmlLimits): Promise<Nuspec> {
  const root = await readXml(xml, limits);
  if (root.name !== 'package') {
    fail('NUSPEC_SHAPE', { expected: '<package> as its root', found: quoted(root.name) });
  }
  const metadata = onlyChild(root, 'metadata');
  if (metadata === undefined) fail('NUSPEC_SHAPE', { expected: '<metadata> in <package>', found: 'none' });
  if (isSymbols(metadata)) fail('NUSPEC_SYMBOLS');
  const field = (name: string) => onlyChild(metadata, name)?.text || undefined;
  const required = (name: string) => field(name) ?? fail('NUSPEC_FIELD_MISSING', { field: name });
  const isTrue = (name: string) => /^(?:true|1)$/i.test(checkForm('boolean', name, field(name) ?? 'false'));
  const minClientVersion = metadata.attributes.get('minClientVersion')?.trim();
  const dependencies = onlyChild(metadata, 'dependencies');
  const files = onlyChild(root, 'files');

  return {
    id: checkForm('id', 'id', required('id')),
    version: checkForm('version', 'version', required('version')),
    authors: required('authors'),
    ...collect(textFields, field),
    ...collect(urlFields, (name) => {
      const text = field(name);
      return text === undefined ? undefined : checkForm('address', name, text);
    }),
    tags: (field('tags') ?? '').split(/\s+/).filter((word) => word !== ''),
    requireLicenseAcceptance: isTrue('requireLicenseAcceptance'),
    developmentDependency: isTrue('developmentDependency'),
    ...(minClientVersion && { minClientVersion: checkForm('version', 'minClientVersion', minClientVersion) }),
    ...readSdkFields((name) => onlyChild(metadata, name)),
    dependencies: dependencies === undefined ? [] : readDependencies(dependencies),
    ...(files && { files: files.children.filter((child) => child.name === 'file').map(readFile) }),
  };
}

/**
 * Canonical XML: two spaces, LF, fields in choco's order, absent ones left out, a final newline.
 * @throws FormatError NUSPEC_FIELD_INVALID when a text contains a character that XML cannot represent
 */
export function writeNuspec(nuspec: Nuspec): string {
  const metadata = {
    ...(nuspec.minClientVersion && { $: { minClientVersion: nuspec.minClientVersion } }),
    ...collect(fieldsAsWritten, (name) => nuspec[name]),
    ...(nuspec.tags.length > 0 && { tags: nuspec.tags.join(' ') }),
    requireLicenseAcceptance: String(nuspec.requireLicenseAcceptance),
    ...sdkElements(nuspec),
    ...(nuspec.developmentDependency && { developmentDependency: 'true' }),
    ...(nuspec.dependencies.length > 0 && { dependencies: dependencyElements(nuspec.dependencies) }),
  };
  const files = nuspec.files && {
    files: { file: nuspec.files.map(({ src, target }) => ({ $: { src, target } })) },
  };
  try {
    return `${builder.buildObject({ package: { $: { xmlns: namespace }, metadata, ...files } })}\n`;
  } catch (error) {
    if (isProgramFault(error)) throw error;
    const found = quoted(error instanceof Error ? error.message : String(error));
    return fail(
      'NUSPEC_FIELD_INVALID',
      { field: 'a text', found, expected: 'characters that XML has' },
      error,
    );
  }
}

/** The `Dependencies` property of a feed: `id:range:framework` joined by `|` (spec nuget-v2 13). */
export function dependenciesText(nuspec: Pick<Nuspec, 'dependencies'>): string {
  return nuspec.dependencies
    .map(({ id, range = '', targetFramework }) => {
      const parsed = parseNuGetRange(range);
      // A range of all versions is left out, since clients misread `(, )`.
      const shown = parsed === undefined || isEveryVersion(parsed) ? '' : range;
      if (targetFramework !== undefined) return `${id}:${shown}:${targetFramework}`;
      return shown === '' ? id : `${id}:${shown}`;
    })
    .join('|');
}

// Chocolatey's own. Readers accept any year; only this one defines projectSourceUrl and similar fields.
const namespace = 'http://schemas.microsoft.com/packaging/2015/06/nuspec.xsd';
const builder = new Builder({
  xmldec: { version: '1.0', encoding: 'utf-8' },
  renderOpts: { pretty: true, indent: '  ', newline: '\n' },
});

const textFields = [
  'title',
  'owners',
  'description',
  'summary',
  'releaseNotes',
  'copyright',
  'language',
] as const;
const urlFields = [
  'projectUrl',
  'licenseUrl',
  'iconUrl',
  'projectSourceUrl',
  'packageSourceUrl',
  'docsUrl',
  'mailingListUrl',
  'bugTrackerUrl',
  'wikiUrl',
] as const;
/** The order of choco's own template. */
const fieldsAsWritten = [
  'id',
  'version',
  'packageSourceUrl',
  'owners',
  'title',
  'authors',
  'projectUrl',
  'iconUrl',
  'copyright',
  'licenseUrl',
  'projectSourceUrl',
  'docsUrl',
  'wikiUrl',
  'mailingListUrl',
  'bugTrackerUrl',
  'language',
  'summary',
  'description',
  'releaseNotes',
] as const;

/** An object with those of the names that have a value. */
function collect<Name extends string>(
  names: readonly Name[],
  find: (name: Name) => string | undefined,
): { [name in Name]?: string } {
  const found: { [name in Name]?: string } = {};
  for (const name of names) {
    const value = find(name);
    if (value !== undefined) found[name] = value;
  }
  return found;
}

/** A .snupkg has the id and version of its package, and would replace it (spec nuget-v2 10.5). */
function isSymbols(metadata: XmlElement): boolean {
  const types = onlyChild(metadata, 'packageTypes')?.children ?? [];
  return types.some(({ attributes }) => attributes.get('name')?.toLowerCase() === 'symbolspackage');
}

function onlyChild(parent: XmlElement, name: string): XmlElement | undefined {
  const [first, second] = parent.children.filter((child) => child.name === name);
  if (second !== undefined) fail('NUSPEC_FIELD_TWICE', { field: name });
  return first;
}

function readFile(element: XmlElement): NuspecFile {
  return {
    src: element.attributes.get('src')?.trim() ?? '',
    target: element.attributes.get('target')?.trim() ?? '',
  };
}
