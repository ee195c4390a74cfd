import { type FeedProperty, feedProperties } from './properties.ts';
import { entityName, escapeXml, namespaces, schemaName, xmlDeclaration } from './xml.ts';

/** What the feed can do. If one of these is missing, choco 2.x uses much worse queries (spec nuget-v2 section 1, point 2). */
const functionImports: Readonly<Record<string, Readonly<Record<string, 'Edm.String' | 'Edm.Boolean'>>>> = {
  Search: {
    searchTerm: 'Edm.String',
    targetFramework: 'Edm.String',
    includePrerelease: 'Edm.Boolean',
    semVerLevel: 'Edm.String',
  },
  FindPackagesById: { id: 'Edm.String', semVerLevel: 'Edm.String' },
  GetUpdates: {
    packageIds: 'Edm.String',
    versions: 'Edm.String',
    includePrerelease: 'Edm.Boolean',
    includeAllVersions: 'Edm.Boolean',
    targetFrameworks: 'Edm.String',
    versionConstraints: 'Edm.String',
    semVerLevel: 'Edm.String',
  },
};

/** `$metadata` (spec nuget-v2 9.2), the same for every feed. */
export const metadataDocument = [
  xmlDeclaration,
  `<edmx:Edmx Version="1.0" xmlns:edmx="${namespaces.edmx}">`,
  `<edmx:DataServices xmlns:m="${namespaces.m}" m:DataServiceVersion="2.0" m:MaxDataServiceVersion="2.0">`,
  `<Schema Namespace="${schemaName}" xmlns="${namespaces.edm}">`,
  `<EntityType Name="${entityName}" m:HasStream="true">`,
  '<Key><PropertyRef Name="Id"/><PropertyRef Name="Version"/></Key>',
  ...feedProperties.map(propertyElement),
  '</EntityType>',
  '<EntityContainer Name="V2FeedContext" m:IsDefaultEntityContainer="true">',
  `<EntitySet Name="Packages" EntityType="${schemaName}.${entityName}"/>`,
  ...Object.entries(functionImports).map(functionElement),
  '</EntityContainer>',
  '</Schema>',
  '</edmx:DataServices>',
  '</edmx:Edmx>',
].join('\n');

/**
 * The service document (spec nuget-v2 9.1). It must begin with the declaration, by which PowerShellGet recognizes v2.
 * @param base the feed's address without trailing slash
 */
export function serviceDocument(base: string): string {
  return [
    xmlDeclaration,
    `<service xml:base="${escapeXml(base)}/" xmlns="${namespaces.app}" xmlns:atom="${namespaces.atom}">`,
    '<workspace>',
    '<atom:title type="text">Default</atom:title>',
    '<collection href="Packages">',
    '<atom:title type="text">Packages</atom:title>',
    '</collection>',
    '</workspace>',
    '</service>',
  ].join('\n');
}

function propertyElement({ name, type, isNullable, atom }: FeedProperty): string {
  const place = atom ? ` m:FC_TargetPath="${atom}" m:FC_ContentKind="text" m:FC_KeepInContent="false"` : '';
  return `<Property Name="${name}" Type="${type}" Nullable="${isNullable}"${place}/>`;
}

function functionElement([name, parameters]: readonly [string, Readonly<Record<string, string>>]): string {
  return [
    `<FunctionImport Name="${name}" EntitySet="Packages" ReturnType="Collection(${schemaName}.${entityName})" m:HttpMethod="GET">`,
    ...Object.entries(parameters).map(
      ([parameter, type]) => `<Parameter Name="${parameter}" Type="${type}" Mode="In"/>`,
    ),
    '</FunctionImport>',
  ].join('\n');
}
