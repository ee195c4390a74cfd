import type { JSX } from 'preact';
import { hiddenCharacters } from '../../formats/hidden-characters.ts';
import type { PackageRow } from '../catalog/catalog.ts';
import { fileAddress, webAddress } from '../feed/shown-addresses.ts';
import type { StoredRollout } from '../rollout/rollouts.ts';
import { installCommands } from './commands.ts';
import { CommandChoice, DateText, Hash, KeyNote, Links, Scroll, sizeText, Version } from './components.tsx';
import { Facts } from './facts.tsx';
import { Layout } from './layout.tsx';
import { renderMarkdown } from './markdown.ts';
import { type FoundPackage, offersOf } from './pages.ts';
import { State, stepText } from './rollouts.tsx';

type Props = {
  readonly found: FoundPackage;
  /** The open ones of this package. */
  readonly rollouts: readonly StoredRollout[];
  readonly publicUrl: string;
  /** What needs a key to be read. */
  readonly readAuth: 'feed' | 'all' | undefined;
  /** The client in the link, such as `scoop`; '' for none. */
  readonly client: string;
};

/** `/packages/ID`: a package, how to install it, and its versions. */
export function PackagePage({ found, rollouts, publicUrl, readAuth, client }: Props): JSX.Element {
  const { id, shown, versions, sboms } = found;
  // A hidden character must not change how the id next to it is shown.
  const title = (shown.nuspec.title ?? id).replace(hiddenCharacters, '');
  return (
    <Layout title={`${id} - go-win-tools`}>
      {/* Not where only its address needs a key: browsers would ask everybody for one. */}
      <Icon row={shown} isShown={readAuth !== 'feed'} />
      <h1>
        {title} {title === id ? null : <code class="id copy">{id}</code>}
      </h1>
      <p class="lead">{shown.nuspec.summary ?? ''}</p>
      {rollouts.map((rollout) => (
        <p key={rollout.id} class="badge">
          <a href={`/rollouts/${rollout.id}`}>{rollout.version}</a> <State rollout={rollout} />, step{' '}
          {stepText(rollout)}
        </p>
      ))}
      <section aria-labelledby="install">
        <h2 id="install">Install</h2>
        <CommandChoice blocks={installCommands(publicUrl, offersOf(found))} chosen={client} />
        <KeyNote readAuth={readAuth} />
      </section>
      <section aria-labelledby="about">
        <h2 id="about">About</h2>
        {/* Safe: renderMarkdown lets no raw HTML and no script address through. */}
        <div
          class="text"
          dangerouslySetInnerHTML={{ __html: renderMarkdown(shown.nuspec.description ?? '') }}
        />
        <Facts row={shown} />
        <Links to={linksOf(shown)} />
      </section>
      {found.readme === undefined ? null : (
        <section aria-labelledby="readme">
          <h2 id="readme">Readme</h2>
          <div class="text" dangerouslySetInnerHTML={{ __html: found.readme }} />
        </section>
      )}
      {shown.nuspec.releaseNotes === undefined ? null : (
        <section aria-labelledby="notes">
          <h2 id="notes">Release notes</h2>
          <Notes text={shown.nuspec.releaseNotes} />
        </section>
      )}
      <section aria-labelledby="versions">
        <h2 id="versions">Versions</h2>
        <VersionTable versions={versions} sboms={sboms} />
      </section>
    </Layout>
  );
}

/** The icon in the package; one on another host would tell that host who looks. */
function Icon({ row, isShown }: { readonly row: PackageRow; readonly isShown: boolean }): JSX.Element | null {
  if (!isShown || row.nuspec.icon === undefined) return null;
  return <img class="icon" src={fileAddress('', row, 'icon')} alt="" width="64" height="64" />;
}

/** An author's text, shown as it is, except that a text which is only an address becomes a link. */
function Notes({ text }: { readonly text: string }): JSX.Element {
  return /^https?:\/\/\S+$/i.test(text) ? (
    <a href={text} rel="noreferrer">
      {text}
    </a>
  ) : (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: long notes scroll, and must be reachable by keyboard
    <pre class="notes" tabIndex={0}>
      {text}
    </pre>
  );
}

function linksOf({
  id,
  normalizedVersion,
  nuspec,
}: PackageRow): Readonly<Record<string, string | undefined>> {
  return {
    Project: webAddress(nuspec.projectUrl),
    Source: webAddress(nuspec.projectSourceUrl),
    Documentation: webAddress(nuspec.docsUrl),
    'Report a problem': `/packages/${encodeURIComponent(id)}/${encodeURIComponent(normalizedVersion)}/report`,
  };
}

function VersionTable({ versions, sboms }: Pick<FoundPackage, 'versions' | 'sboms'>): JSX.Element {
  return (
    <Scroll label="Table of versions">
      <table>
        <thead>
          <tr>
            <th scope="col">Version</th>
            <th scope="col">Published</th>
            <th scope="col" class="number">
              Size
            </th>
            <th scope="col" class="number">
              Downloads
            </th>
            <th scope="col">Made of</th>
            <th scope="col">SHA-256 of the package</th>
          </tr>
        </thead>
        <tbody>
          {versions.map((row) => (
            <tr key={row.normalizedVersion}>
              <th scope="row">
                <a
                  href={`/nuget/package/${encodeURIComponent(row.id)}/${encodeURIComponent(row.normalizedVersion)}`}
                >
                  <Version row={row} />
                </a>
              </th>
              <td>
                <DateText date={row.published} />
              </td>
              <td class="number">{sizeText(row.sizeBytes)}</td>
              <td class="number">{row.versionDownloads}</td>
              <td>
                <SbomLink row={row} href={sboms.get(row.normalizedVersion)} />
              </td>
              <td>
                <Hash sha256={row.sha256} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function SbomLink({
  row: { id, normalizedVersion },
  href,
}: {
  readonly row: PackageRow;
  readonly href: string | undefined;
}): JSX.Element | null {
  if (href === undefined) return null;
  return (
    <a href={href} aria-label={`SBOM of ${id} ${normalizedVersion}`}>
      SBOM
    </a>
  );
}
