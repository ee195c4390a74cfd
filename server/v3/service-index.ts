import type { V3Links } from './links.ts';

/** The document that a client reads first: the address of each resource (spec nuget-v2 section 14). */
export function serviceIndex(links: V3Links): object {
  return {
    version: '3.0.0',
    // One client's addresses are for reading only.
    resources: resourcesOf(links)
      .filter(({ name }) => links.client === '' || name !== 'PackagePublish')
      .flatMap(({ name, versions, address, comment }) =>
        versions.map((version) => ({ '@id': address, '@type': `${name}${version}`, comment })),
      ),
    '@context': {
      '@vocab': 'http://schema.nuget.org/services#',
      comment: 'http://www.w3.org/2000/01/rdf-schema#comment',
    },
  };
}

type Resource = {
  readonly name: string;
  /** Clients compare the whole `@type`, so every spelling that one of them uses is listed; '' is the plain name. */
  readonly versions: readonly string[];
  readonly address: string;
  readonly comment: string;
};

/** `/Versioned` without a clientVersion applies to every client; those of choco 2.x number themselves 3.x. */
function resourcesOf(links: V3Links): readonly Resource[] {
  return [
    {
      name: 'SearchQueryService',
      versions: ['', '/3.0.0-beta', '/3.0.0-rc', '/3.0.0', '/3.4.0', '/3.5.0', '/Versioned'],
      address: links.search,
      comment: 'Finds packages by words',
    },
    {
      name: 'SearchAutocompleteService',
      versions: ['', '/3.0.0-beta', '/3.0.0-rc', '/3.0.0', '/3.5.0', '/Versioned'],
      address: links.autocomplete,
      comment: 'Completes ids and lists versions',
    },
    {
      name: 'RegistrationsBaseUrl',
      versions: ['', '/3.0.0-beta', '/3.0.0-rc', '/3.0.0', '/3.4.0'],
      address: links.hive('semver1'),
      comment: 'Metadata of packages, without SemVer 2 versions',
    },
    {
      name: 'RegistrationsBaseUrl',
      versions: ['/3.6.0', '/Versioned'],
      address: links.hive('semver2'),
      comment: 'Metadata of packages, with SemVer 2 versions',
    },
    {
      name: 'PackageBaseAddress',
      versions: ['/3.0.0', '/Versioned'],
      address: links.flat,
      comment: 'The packages themselves: {id}/{version}/{id}.{version}.nupkg',
    },
    {
      name: 'PackagePublish',
      versions: ['/2.0.0', '/Versioned'],
      address: links.publish,
      comment: 'Takes, unlists and relists packages',
    },
    {
      // nuget.exe 5.8 lists nothing on a v3 source without it (spec nuget-v2 18.2).
      name: 'LegacyGallery',
      versions: ['', '/2.0.0', '/Versioned'],
      address: `${links.root}/nuget${links.client}`,
      comment: 'The same packages over NuGet v2',
    },
    {
      name: 'PackageDetailsUriTemplate',
      versions: ['', '/5.1.0', '/Versioned'],
      address: links.details,
      comment: 'The page of a package for people',
    },
    {
      // Without it clients show nuget.org's address (spec nuget-v2 18.3).
      name: 'ReportAbuseUriTemplate',
      versions: ['', '/3.0.0-beta', '/3.0.0-rc', '/3.0.0', '/Versioned'],
      address: links.report,
      comment: 'How to report a problem with a package',
    },
    {
      name: 'ReadmeUriTemplate',
      versions: ['', '/6.13.0', '/Versioned'],
      address: links.readme,
      comment: 'The readme of a package that has one',
    },
  ];
}
