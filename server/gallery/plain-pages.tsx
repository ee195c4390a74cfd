import type { JSX } from 'preact';
import { Layout } from './layout.tsx';

/** Older NuGet clients open an address template without filling it in (spec nuget-v2 18.3). */
export function UnfilledPage(): JSX.Element {
  return (
    <Layout title="Which package? - go-win-tools">
      <h1>Which package?</h1>
      <p class="lead">Your NuGet client opened this page without the name of the package in its address.</p>
      <p>
        Find the package with the search above or in <a href="/">the list of all packages</a>. Its page has
        its versions and a link for reporting a problem.
      </p>
      <p class="remark">Newer versions of NuGet and Visual Studio fill in the name.</p>
    </Layout>
  );
}

/** An id whose versions are all unlisted: clients that installed one still link to it. */
export function UnlistedPage({ id }: { readonly id: string }): JSX.Element {
  return (
    <Layout title={`${id} - go-win-tools`}>
      <h1>{id}</h1>
      <p class="lead">No version of this package is listed.</p>
      <p>
        Searches and upgrades do not find it any more. A machine or a project that names an exact version
        still gets it.
      </p>
    </Layout>
  );
}
