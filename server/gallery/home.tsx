import type { JSX } from 'preact';
import type { PackageRow } from '../catalog/catalog.ts';
import { installCommands, setupCommands } from './commands.ts';
import { Commands, DateText, KeyNote, Version } from './components.tsx';
import { Layout } from './layout.tsx';
import { type ListedPackage, type Listing, offersOf } from './pages.ts';

type Props = {
  readonly listing: Listing;
  readonly publicUrl: string;
  /** Whether `start` is releasing the first packages. */
  readonly isFilling: boolean;
  /** What needs a key to be read. */
  readonly readAuth: 'feed' | 'all' | undefined;
};

/** `/`: lists the packages and shows how to set up a machine. */
export function HomePage({ listing, publicUrl, isFilling, readAuth }: Props): JSX.Element {
  return (
    <Layout title="go-win-tools" text={listing.text}>
      <h1>Go tools for Windows</h1>
      <p class="lead">Install them with Chocolatey, Scoop or NuGet, from this server.</p>
      <section aria-labelledby="packages">
        <h2 id="packages">{listing.text === '' ? 'Packages' : `Packages matching “${listing.text}”`}</h2>
        {listing.packages.length === 0 ? (
          <Empty text={listing.text} isFilling={isFilling} />
        ) : (
          <PackageTable packages={listing.packages} publicUrl={publicUrl} />
        )}
        <Pages listing={listing} />
      </section>
      <section aria-labelledby="setup">
        <h2 id="setup">Point a machine at this server</h2>
        <Commands blocks={setupCommands(publicUrl)} />
        <KeyNote readAuth={readAuth} />
      </section>
    </Layout>
  );
}

type TableProps = { readonly packages: readonly ListedPackage[]; readonly publicUrl: string };

function PackageTable({ packages, publicUrl }: TableProps): JSX.Element {
  return (
    <table class="packages">
      <thead>
        <tr>
          <th scope="col">Package</th>
          <th scope="col">Stable</th>
          <th scope="col">Beta</th>
          <th scope="col">Published</th>
          <th scope="col" class="number">
            Downloads
          </th>
        </tr>
      </thead>
      <tbody>
        {packages.map((listed) => (
          <PackageLine key={listed.newest.id} listed={listed} publicUrl={publicUrl} />
        ))}
      </tbody>
    </table>
  );
}

/** `data-label`: a phone has no room for the head of the table, and shows it next to each value (gallery.css). */
function PackageLine({
  listed,
  publicUrl,
}: {
  readonly listed: ListedPackage;
  readonly publicUrl: string;
}): JSX.Element {
  const { newest, stable, beta } = listed;
  return (
    <tr>
      <th scope="row">
        <a href={`/packages/${encodeURIComponent(newest.id)}`}>{newest.id}</a>
        <p class="remark">{summaryOf(stable ?? newest)}</p>
        <details>
          <summary>{stable === undefined ? 'Test it' : 'Install it'}</summary>
          <Commands blocks={installCommands(publicUrl, offersOf({ ...listed, id: newest.id }))} />
        </details>
      </th>
      <td data-label="Stable">
        <Version row={stable} />
      </td>
      <td data-label="Beta">{beta === undefined ? null : <Version row={beta} />}</td>
      <td data-label="Published">
        <DateText date={newest.published} />
      </td>
      <td data-label="Downloads" class="number">
        {newest.downloads}
      </td>
    </tr>
  );
}

function Empty({ text, isFilling }: { readonly text: string; readonly isFilling: boolean }): JSX.Element {
  if (text !== '') {
    return (
      <p class="empty">
        Nothing matches. <a href="/">Show all packages</a>.
      </p>
    );
  }
  return isFilling ? (
    <p class="empty">
      No packages yet: the first ones are being released, which takes some minutes. <a href="/">Look again</a>
      .
    </p>
  ) : (
    <p class="empty">
      No packages yet. A maintainer publishes the first ones with <code>npx -y pnpm@10 release:beta</code>.
    </p>
  );
}

function Pages({ listing }: { readonly listing: Listing }): JSX.Element | null {
  const address = (page: number): string =>
    `/?${new URLSearchParams({ q: listing.text, page: String(page) })}`;
  if (listing.pages === 1) return null;
  return (
    <nav class="pages" aria-label="Pages">
      {listing.page > 1 ? <a href={address(listing.page - 1)}>Previous</a> : null}
      <span>
        Page {listing.page} of {listing.pages}, {listing.total} packages
      </span>
      {listing.page < listing.pages ? <a href={address(listing.page + 1)}>Next</a> : null}
    </nav>
  );
}

/** A line or two: fifty summaries of the maximum length would be a page of 50 MB. */
function summaryOf({ nuspec }: PackageRow): string {
  return (nuspec.summary ?? nuspec.title ?? '').slice(0, 500);
}
