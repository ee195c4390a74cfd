import type { JSX } from 'preact';
import type { PackageRow } from '../catalog/catalog.ts';
import { webAddress } from '../feed/shown-addresses.ts';
import { DateText, Links } from './components.tsx';
import { Layout } from './layout.tsx';

type Props = { readonly row: PackageRow; readonly publicUrl: string };

/** `/packages/ID/VERSION/report`: the page that clients open for "report abuse". */
export function ReportPage({ row, publicUrl }: Props): JSX.Element {
  const { id, normalizedVersion: version, nuspec, sha256, published } = row;
  const places = {
    'Its bug tracker': webAddress(nuspec.bugTrackerUrl),
    'Its project': webAddress(nuspec.projectUrl),
    'Its mailing list': webAddress(nuspec.mailingListUrl),
  };
  return (
    <Layout title={`Report a problem with ${id} ${version} - go-win-tools`}>
      <h1>Report a problem</h1>
      <p class="lead">
        with <a href={`/packages/${encodeURIComponent(id)}`}>{id}</a> {version}
      </p>
      <section aria-labelledby="whom">
        <h2 id="whom">Whom to tell</h2>
        <p>
          This package comes from <code class="copy">{publicUrl}</code>, not from nuget.org. If it is harmful,
          broken or should not be here, tell the people who gave you this address; only they can take it back.
        </p>
        <p>Give them these values:</p>
        <pre>
          <code class="copy">
            {[`Package: ${id} ${version}`, `SHA-256: ${sha256}`, `Feed: ${publicUrl}/nuget`].join('\n')}
          </code>
        </pre>
        <p class="remark">
          Published <DateText date={published} />
          {row.isListed ? '' : ', not listed'}
        </p>
      </section>
      {Object.values(places).every((place) => place === undefined) ? null : (
        <section aria-labelledby="program">
          <h2 id="program">For a fault of the program itself</h2>
          <Links to={places} />
        </section>
      )}
      <section aria-labelledby="operator">
        <h2 id="operator">If you run this server</h2>
        <p>Hide the version from searches and upgrades, or delete its bytes for good:</p>
        <pre>
          <code>
            {['unlist', 'purge'].map((verb) => `feed:${verb} ${id}@${version} --reason TEXT`).join('\n')}
          </code>
        </pre>
      </section>
    </Layout>
  );
}
