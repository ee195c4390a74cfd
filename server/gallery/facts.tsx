import { type ComponentChildren, Fragment, type JSX } from 'preact';
import { plainPackageType } from '../../formats/nuspec-sdk.ts';
import type { PackageRow } from '../catalog/catalog.ts';
import { licenseAddress, webAddress } from '../feed/shown-addresses.ts';

type Fact = { readonly name: string; readonly value: ComponentChildren };

/** Other fields of a nuspec: authors, owners, license, types, repository. */
export function Facts({ row }: { readonly row: PackageRow }): JSX.Element {
  return (
    <dl class="facts">
      {factsOf(row).map(({ name, value }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function factsOf(row: PackageRow): readonly Fact[] {
  const { authors, owners, packageTypes, repository, requireLicenseAcceptance, tags } = row.nuspec;
  const types = (packageTypes ?? []).map(({ name }) => name).filter((name) => name !== plainPackageType);
  const license = licenseOf(row);
  return [
    { name: 'Authors', value: authors },
    ...(owners ? [{ name: 'Owners', value: owners }] : []),
    ...(license ? [{ name: 'License', value: license }] : []),
    ...(requireLicenseAcceptance
      ? [{ name: 'License terms', value: 'Must be accepted before it is installed.' }]
      : []),
    ...(types.length > 0 ? [{ name: 'Package type', value: types.join(', ') }] : []),
    ...(repository ? [{ name: 'Repository', value: repositoryOf(repository) }] : []),
    ...(tags.length > 0 ? [{ name: 'Tags', value: <Tags tags={tags} /> }] : []),
  ];
}

/** Each links to the packages that have it. */
function Tags({ tags }: { readonly tags: readonly string[] }): JSX.Element {
  return (
    <>
      {tags.map((tag) => (
        <Fragment key={tag}>
          <a href={`/?q=${encodeURIComponent(`tag:${tag}`)}`}>{tag}</a>{' '}
        </Fragment>
      ))}
    </>
  );
}

/** The license expression, as a link if the package has an address for it. */
function licenseOf(row: PackageRow): ComponentChildren {
  const address = licenseAddress(row, '');
  const { license } = row.nuspec;
  const name = license?.type === 'expression' ? license.text : 'License text';
  if (address === undefined) return license?.type === 'expression' ? name : undefined;
  return (
    <a href={address} rel="noreferrer">
      {name}
    </a>
  );
}

function repositoryOf({
  url,
  type = 'repository',
  branch,
  commit,
}: NonNullable<PackageRow['nuspec']['repository']>): ComponentChildren {
  const address = webAddress(url);
  const place = [branch, commit].filter((part) => part !== undefined).join(' ');
  return (
    <>
      {address === undefined ? (
        (url ?? type)
      ) : (
        <a href={address} rel="noreferrer">
          {address}
        </a>
      )}
      {place === '' ? null : <> ({place})</>}
    </>
  );
}
