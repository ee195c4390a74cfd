/**
 * The database's schema, step by step. Step N makes schema N (`PRAGMA user_version`): append, never edit.
 *
 * `packages` is narrow on purpose: filters and latest flags read it without the long texts, which are in `nuspecs` under the
 * `nuspec_pk`. Times are milliseconds since 1970, booleans 0 or 1. Compared keys (`id_key`, `version_key`, `tags_key`, `search`)
 * are stored in lower case, so that plain SQL equality and indexes work.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE state (revision INTEGER NOT NULL) STRICT;
  INSERT INTO state VALUES (0);

  -- One row an id: the casing of its first push (spec nuget-v2 12.5) and the downloads of all versions.
  CREATE TABLE ids (
    id_key    TEXT PRIMARY KEY,
    id        TEXT NOT NULL,
    downloads INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE packages (
    pk                 INTEGER PRIMARY KEY,
    id_key             TEXT NOT NULL REFERENCES ids,
    version_key        TEXT NOT NULL,
    version            TEXT NOT NULL,
    normalized_version TEXT NOT NULL,
    is_prerelease      INTEGER NOT NULL,
    -- A SemVer 1 client can read it: neither version nor dependencies need SemVer 2 (spec nuget-v2 12.2, 12.3).
    in_semver1         INTEGER NOT NULL,
    is_listed          INTEGER NOT NULL,
    -- Both views of the latest flags (spec nuget-v2 12.4).
    latest_semver1     INTEGER NOT NULL DEFAULT 0,
    newest_semver1     INTEGER NOT NULL DEFAULT 0,
    latest_semver2     INTEGER NOT NULL DEFAULT 0,
    newest_semver2     INTEGER NOT NULL DEFAULT 0,
    downloads          INTEGER NOT NULL DEFAULT 0,
    size_bytes         INTEGER NOT NULL,
    created            INTEGER NOT NULL,
    published          INTEGER NOT NULL,
    last_edited        INTEGER NOT NULL,
    sha256             TEXT NOT NULL,
    sha512             TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX package_versions ON packages (id_key, version_key DESC);
  CREATE INDEX package_latest1 ON packages (id_key, version_key DESC) WHERE latest_semver1 = 1;
  CREATE INDEX package_newest1 ON packages (id_key, version_key DESC) WHERE newest_semver1 = 1;
  CREATE INDEX package_latest2 ON packages (id_key, version_key DESC) WHERE latest_semver2 = 1;
  CREATE INDEX package_newest2 ON packages (id_key, version_key DESC) WHERE newest_semver2 = 1;

  CREATE TABLE texts (
    pk           INTEGER PRIMARY KEY REFERENCES packages,
    search       TEXT NOT NULL,
    tags_key     TEXT,
    tags         TEXT,
    title        TEXT,
    authors      TEXT,
    summary      TEXT,
    description  TEXT,
    dependencies TEXT,
    nuspec       TEXT NOT NULL
  ) STRICT;

  CREATE TABLE payloads (
    tool       TEXT NOT NULL,
    version    TEXT NOT NULL,
    file       TEXT NOT NULL,
    sha256     TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    created    INTEGER NOT NULL,
    PRIMARY KEY (tool, version, file)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE keys (
    id        TEXT PRIMARY KEY,
    name      TEXT NOT NULL,
    scopes    TEXT NOT NULL,
    ids       TEXT NOT NULL,
    hash      BLOB NOT NULL UNIQUE,
    created   INTEGER NOT NULL,
    last_used INTEGER
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- The audit log (audit/audit.ts): each entry holds the hash of the one before it.
  CREATE TABLE audit (
    number       INTEGER PRIMARY KEY,
    at           INTEGER NOT NULL,
    kind         TEXT NOT NULL,
    subject      TEXT NOT NULL,
    version      TEXT,
    file         TEXT,
    digest       TEXT,
    detail       TEXT,
    key_id       TEXT NOT NULL,
    key_name     TEXT NOT NULL,
    from_address TEXT NOT NULL,
    previous     TEXT NOT NULL,
    hash         TEXT NOT NULL
  ) STRICT;
  CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
  CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
  -- INSERT OR REPLACE would delete without the trigger above.
  CREATE TRIGGER audit_no_gap BEFORE INSERT ON audit
    WHEN NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM audit)
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

  -- Keys that were revoked stay, for the audit log.
  ALTER TABLE keys ADD COLUMN revoked INTEGER;
  `,
  `
  -- Who has what (audit/downloads.ts); bounded, the rows that were touched longest ago go first.
  CREATE TABLE downloads (
    id           TEXT NOT NULL COLLATE NOCASE,
    version      TEXT NOT NULL COLLATE NOCASE,
    file         TEXT NOT NULL,
    key_name     TEXT NOT NULL,
    from_address TEXT NOT NULL,
    client       TEXT NOT NULL,
    count        INTEGER NOT NULL,
    first        INTEGER NOT NULL,
    last         INTEGER NOT NULL,
    PRIMARY KEY (id, version, file, key_name, from_address, client)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX download_age ON downloads (last);
  `,
  `
  CREATE INDEX audit_moves ON audit (subject, number) WHERE kind = 'bucket moved';
  `,
  `
  -- Small blobs that came with the rows that name them, until their files are durable (blobs/pending-blobs.ts).
  CREATE TABLE fresh_blobs (
    number INTEGER PRIMARY KEY,
    sha256 TEXT NOT NULL,
    bytes  BLOB NOT NULL
  ) STRICT;
  `,
  `
  -- Rows of an id side by side (place.ts), and texts once for all versions that say the same: an answer about an id
  -- reads a few neighbouring pages, however large the catalog is.
  CREATE TEMP TABLE moved AS
    SELECT pk AS old, (dense_rank() OVER (ORDER BY id_key) << 20)
        + row_number() OVER (PARTITION BY id_key ORDER BY pk) - 1 AS pk
      FROM packages;
  CREATE UNIQUE INDEX temp.moved_old ON moved (old);
  CREATE TEMP TABLE said AS
    SELECT m.pk, m.old, first_value(m.pk) OVER (
        PARTITION BY p.id_key, json_remove(t.nuspec, '$.id', '$.version') ORDER BY m.pk) AS texts_pk
      FROM packages p JOIN texts t USING (pk) JOIN moved m ON m.old = p.pk;
  CREATE UNIQUE INDEX temp.said_pk ON said (pk);

  CREATE TABLE shared_texts (
    pk           INTEGER PRIMARY KEY,
    search       TEXT NOT NULL,
    tags_key     TEXT,
    tags         TEXT,
    title        TEXT,
    authors      TEXT,
    summary      TEXT,
    description  TEXT,
    dependencies TEXT,
    nuspec       TEXT NOT NULL
  ) STRICT;
  INSERT INTO shared_texts
    SELECT s.pk, search, tags_key, tags, title, authors, summary, description, dependencies, nuspec
      FROM said s JOIN texts t ON t.pk = s.old WHERE s.pk = s.texts_pk ORDER BY s.pk;

  CREATE TABLE placed_packages (
    pk                 INTEGER PRIMARY KEY,
    id_key             TEXT NOT NULL REFERENCES ids,
    version_key        TEXT NOT NULL,
    version            TEXT NOT NULL,
    normalized_version TEXT NOT NULL,
    is_prerelease      INTEGER NOT NULL,
    in_semver1         INTEGER NOT NULL,
    is_listed          INTEGER NOT NULL,
    latest_semver1     INTEGER NOT NULL DEFAULT 0,
    newest_semver1     INTEGER NOT NULL DEFAULT 0,
    latest_semver2     INTEGER NOT NULL DEFAULT 0,
    newest_semver2     INTEGER NOT NULL DEFAULT 0,
    downloads          INTEGER NOT NULL DEFAULT 0,
    size_bytes         INTEGER NOT NULL,
    created            INTEGER NOT NULL,
    published          INTEGER NOT NULL,
    last_edited        INTEGER NOT NULL,
    sha256             TEXT NOT NULL,
    sha512             TEXT NOT NULL,
    texts_pk           INTEGER NOT NULL REFERENCES shared_texts
  ) STRICT;
  INSERT INTO placed_packages
    SELECT s.pk, id_key, version_key, version, normalized_version, is_prerelease, in_semver1, is_listed, latest_semver1,
        newest_semver1, latest_semver2, newest_semver2, downloads, size_bytes, created, published, last_edited, sha256,
        sha512, s.texts_pk
      FROM said s JOIN packages p ON p.pk = s.old ORDER BY s.pk;
  DROP TABLE said;
  DROP TABLE moved;
  DROP TABLE texts;
  DROP TABLE packages;
  ALTER TABLE shared_texts RENAME TO texts;
  ALTER TABLE placed_packages RENAME TO packages;

  CREATE UNIQUE INDEX package_versions ON packages (id_key, version_key DESC);
  CREATE INDEX package_latest1 ON packages (id_key, version_key DESC) WHERE latest_semver1 = 1;
  CREATE INDEX package_newest1 ON packages (id_key, version_key DESC) WHERE newest_semver1 = 1;
  CREATE INDEX package_latest2 ON packages (id_key, version_key DESC) WHERE latest_semver2 = 1;
  CREATE INDEX package_newest2 ON packages (id_key, version_key DESC) WHERE newest_semver2 = 1;
  `,
  `
  -- Limits of keys, and the secrets that a rotation replaced: each ends at its time, and its holder is told so.
  ALTER TABLE keys ADD COLUMN clients TEXT NOT NULL DEFAULT '[]';
  ALTER TABLE keys ADD COLUMN networks TEXT NOT NULL DEFAULT '[]';
  ALTER TABLE keys ADD COLUMN owner TEXT;
  ALTER TABLE keys ADD COLUMN expires INTEGER;
  ALTER TABLE keys ADD COLUMN rotated INTEGER;
  CREATE TABLE old_secrets (
    hash   BLOB PRIMARY KEY,
    key_id TEXT NOT NULL REFERENCES keys,
    ends   INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Versions that were taken away for good (feed/purge.ts) and are never used again; is_scrubbed: their texts are gone from
  -- the pages of this file too.
  CREATE TABLE purged (
    id_key      TEXT NOT NULL,
    version_key TEXT NOT NULL,
    id          TEXT NOT NULL,
    version     TEXT NOT NULL,
    at          INTEGER NOT NULL,
    is_scrubbed INTEGER NOT NULL,
    PRIMARY KEY (id_key, version_key)
  ) STRICT, WITHOUT ROWID;
  -- Bytes that nothing names since a purge, until they are gone from the disk (blobs/purge-queue.ts).
  CREATE TABLE doomed_blobs (sha256 TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  `,
  `
  -- For \`owner:\` in a search.
  ALTER TABLE texts ADD COLUMN owners TEXT;
  UPDATE texts SET owners = json_extract(nuspec, '$.owners');
  `,
  `
  -- What dotnet pack writes. Types of packages in lower case, each between blanks; NULL: it names none.
  ALTER TABLE packages ADD COLUMN package_types TEXT;
  -- Packages that came before their licenses, icons, readmes and types were read, until that is done (feed/reread.ts).
  CREATE TABLE unread_nuspecs (pk INTEGER PRIMARY KEY) STRICT;
  INSERT INTO unread_nuspecs SELECT pk FROM packages;
  `,
  `
  ALTER TABLE texts RENAME TO nuspecs;
  ALTER TABLE packages RENAME COLUMN texts_pk TO nuspec_pk;
  ALTER TABLE fresh_blobs RENAME TO pending_blobs;
  ALTER TABLE doomed_blobs RENAME TO purge_queue;
  `,
  `
  -- Groups of clients (clients/rings.ts); globs: a JSON array.
  CREATE TABLE rings (
    name  TEXT PRIMARY KEY,
    globs TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Clients that asked under their own addresses; days since 1970.
  CREATE TABLE clients (
    id        TEXT PRIMARY KEY,
    first_day INTEGER NOT NULL,
    last_day  INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- Rollouts (rollout/rollouts.ts). plan: JSON in the words in which it was given.
  CREATE TABLE rollouts (
    id         INTEGER PRIMARY KEY,
    tool       TEXT NOT NULL,
    package_id TEXT NOT NULL,
    version    TEXT NOT NULL,
    seed       TEXT NOT NULL,
    plan       TEXT NOT NULL,
    owner      TEXT,
    begun_at   INTEGER NOT NULL,
    state      TEXT NOT NULL,
    since      INTEGER NOT NULL,
    step       INTEGER NOT NULL,
    held       INTEGER NOT NULL,
    counted_to INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX rollouts_of_tool ON rollouts (tool);
  CREATE UNIQUE INDEX open_rollouts ON rollouts (tool) WHERE state IN ('pending', 'rolling', 'halted');
  CREATE TABLE rollout_approvals (
    rollout INTEGER NOT NULL REFERENCES rollouts,
    owner   TEXT NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (rollout, owner)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE rollout_history (
    rollout INTEGER NOT NULL REFERENCES rollouts,
    number  INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    by      TEXT NOT NULL,
    action  TEXT NOT NULL,
    reason  TEXT,
    PRIMARY KEY (rollout, number)
  ) STRICT, WITHOUT ROWID;

  -- Which client has what: by client, since each of its requests asks. received: when it got the version.
  CREATE TABLE admissions (
    client   TEXT NOT NULL,
    rollout  INTEGER NOT NULL REFERENCES rollouts,
    at       INTEGER NOT NULL,
    received INTEGER,
    PRIMARY KEY (client, rollout)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX admissions_of_rollout ON admissions (rollout, received);

  -- Alerts that are firing, as each key sent them; ids: the globs that the key is limited to.
  CREATE TABLE firing_alerts (
    fingerprint TEXT NOT NULL,
    key_id      TEXT NOT NULL,
    ids         TEXT NOT NULL,
    starts_at   INTEGER NOT NULL,
    labels      TEXT NOT NULL,
    PRIMARY KEY (fingerprint, key_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX firing_alert_age ON firing_alerts (starts_at);
  CREATE TABLE heartbeats (
    key_id TEXT PRIMARY KEY,
    ids    TEXT NOT NULL,
    at     INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  -- Those that halted a rollout or rolled it back: one that is repeated does nothing more.
  CREATE TABLE rollout_alerts (
    rollout     INTEGER NOT NULL REFERENCES rollouts,
    fingerprint TEXT NOT NULL,
    starts_at   INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    labels      TEXT NOT NULL,
    outcome     TEXT NOT NULL,
    PRIMARY KEY (rollout, fingerprint, starts_at)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Versions that are uploaded and not published (catalog/held.ts). Their numbers (\`pk\`) are of the same range as those of packages, and
  -- no other version shares their nuspecs while they are held.
  CREATE TABLE held_packages (
    pk                 INTEGER PRIMARY KEY,
    id_key             TEXT NOT NULL REFERENCES ids,
    version_key        TEXT NOT NULL,
    version            TEXT NOT NULL,
    normalized_version TEXT NOT NULL,
    is_prerelease      INTEGER NOT NULL,
    in_semver1         INTEGER NOT NULL,
    downloads          INTEGER NOT NULL DEFAULT 0,
    size_bytes         INTEGER NOT NULL,
    created            INTEGER NOT NULL,
    published          INTEGER NOT NULL,
    last_edited        INTEGER NOT NULL,
    sha256             TEXT NOT NULL,
    sha512             TEXT NOT NULL,
    nuspec_pk          INTEGER NOT NULL REFERENCES nuspecs,
    package_types      TEXT
  ) STRICT;
  CREATE UNIQUE INDEX held_versions ON held_packages (id_key, version_key DESC);
  `,
  `
  -- Manifests that belong to held versions (catalog/held-manifests.ts). message: of the commit that publishes one; corrects: the
  -- version whose correction it is.
  CREATE TABLE held_manifests (
    tool       TEXT NOT NULL,
    version    TEXT NOT NULL,
    package_id TEXT NOT NULL,
    text       TEXT NOT NULL,
    message    TEXT NOT NULL,
    corrects   TEXT,
    PRIMARY KEY (tool, version)
  ) STRICT;

  -- Manifests that branches of the bucket are still to get (bucket/pending-commits.ts); branches: a JSON array.
  CREATE TABLE bucket_work (
    number       INTEGER PRIMARY KEY,
    tool         TEXT NOT NULL,
    version      TEXT NOT NULL,
    text         TEXT NOT NULL,
    message      TEXT NOT NULL,
    branches     TEXT NOT NULL,
    at           INTEGER NOT NULL,
    key_id       TEXT NOT NULL,
    key_name     TEXT NOT NULL,
    from_address TEXT NOT NULL,
    reason       TEXT
  ) STRICT;

  -- The commits that clients of rollouts pull (bucket/client-links.ts), one line, in this order. offers: JSON, [tool, version, blob]
  -- for each manifest beyond main's.
  CREATE TABLE client_links (
    number     INTEGER PRIMARY KEY,
    main       TEXT NOT NULL,
    offers     TEXT NOT NULL,
    at         INTEGER NOT NULL,
    commit_oid TEXT NOT NULL UNIQUE
  ) STRICT;
  -- Their texts, by git's id of the blob: the same commits can be made again after the held manifests are gone.
  CREATE TABLE client_manifests (
    blob TEXT PRIMARY KEY,
    text TEXT NOT NULL
  ) STRICT;
  -- The last link that any client of a view was served.
  CREATE TABLE client_views (
    view TEXT PRIMARY KEY,
    link INTEGER NOT NULL REFERENCES client_links
  ) STRICT, WITHOUT ROWID;
  -- The view that a client had last, and the link that it may have been served in the views before (0: none).
  CREATE TABLE client_heads (
    client TEXT PRIMARY KEY,
    view   TEXT NOT NULL,
    since  INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- What replaces a rollout's version after a rollback, in the order in which it was prepared (rollout/sql-corrections.ts).
  CREATE TABLE rollout_corrections (
    rollout INTEGER NOT NULL REFERENCES rollouts,
    number  INTEGER NOT NULL,
    version TEXT NOT NULL,
    PRIMARY KEY (rollout, number)
  ) STRICT, WITHOUT ROWID;
  -- The rollouts whose clients get the corrections of one that was rolled back, itself among them.
  CREATE TABLE rollout_corrected (
    rollout INTEGER NOT NULL REFERENCES rollouts,
    others  INTEGER NOT NULL REFERENCES rollouts,
    PRIMARY KEY (rollout, others)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Whose release a held version is.
  ALTER TABLE held_packages ADD COLUMN tool TEXT NOT NULL DEFAULT '';
  `,
  `
  -- While one waits for approvals, the one before it goes on.
  DROP INDEX open_rollouts;
  CREATE UNIQUE INDEX open_rollouts ON rollouts (tool, state = 'pending') WHERE state IN ('pending', 'rolling', 'halted');
  `,
  `
  -- What main offered when a correction was prepared, whose bytes it has; NULL: not known.
  ALTER TABLE rollout_corrections ADD COLUMN main TEXT;
  -- Corrections that nobody needs, whose bytes were not durable yet: they are taken away by the next tick.
  CREATE TABLE held_leftovers (
    tool       TEXT NOT NULL,
    package_id TEXT NOT NULL,
    version    TEXT NOT NULL,
    PRIMARY KEY (tool, version)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- The version that a client downloaded last of each package, by lower-case id; days since 1970 (clients/sql-clients.ts).
  CREATE TABLE client_downloads (
    client     TEXT NOT NULL,
    package_id TEXT NOT NULL,
    version    TEXT NOT NULL,
    day        INTEGER NOT NULL,
    PRIMARY KEY (client, package_id)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- The bucket of several servers (bucket/shared-history.ts), empty where one server is alone with its files. Each generation is a
  -- push, with the blob that has its objects (NULL: it has none); id tells histories with equal numbers apart.
  CREATE TABLE bucket_pushes (
    generation  INTEGER PRIMARY KEY,
    id          TEXT NOT NULL,
    pack_sha256 TEXT,
    size_bytes  INTEGER NOT NULL
  ) STRICT;
  -- Branches and tags, and the generation that moved each of them last.
  CREATE TABLE bucket_refs (
    ref        TEXT PRIMARY KEY,
    oid        TEXT NOT NULL,
    generation INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  -- Packs with everything up to a generation: what is new begins with the last one.
  CREATE TABLE bucket_checkpoints (
    generation  INTEGER PRIMARY KEY,
    pack_sha256 TEXT NOT NULL,
    size_bytes  INTEGER NOT NULL
  ) STRICT;
  `,
  `
  -- Of object stores that several servers share (blobs/blob-claims.ts). Uploads whose rows are still to be written: nobody removes what
  -- they are about to name.
  CREATE TABLE blob_claims (
    claim  TEXT PRIMARY KEY,
    sha256 TEXT NOT NULL,
    at     INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX claims_of_blob ON blob_claims (sha256);
  -- Blobs that are being removed (is_done = 0), or were: other servers have copies of them.
  CREATE TABLE blob_removals (
    sha256  TEXT PRIMARY KEY,
    at      INTEGER NOT NULL,
    is_done INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Of shared object stores: blobs that no row names, and when a server first found them so. Whoever stores the bytes again removes the row.
  CREATE TABLE blob_orphans (
    sha256 TEXT PRIMARY KEY,
    since  INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- The last feed:backup that ended well, at most one row (audit/backups.ts).
  CREATE TABLE last_backup (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    at         INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL
  ) STRICT;
  `,
  `
  -- Trusted publishing (trust/trust.ts): CI jobs exchange their OIDC tokens for keys that end soon. claims: a JSON array of [name, value].
  CREATE TABLE publishers (
    id       TEXT PRIMARY KEY,
    name     TEXT NOT NULL,
    issuer   TEXT NOT NULL,
    audience TEXT NOT NULL,
    subject  TEXT NOT NULL,
    claims   TEXT NOT NULL,
    scopes   TEXT NOT NULL,
    ids      TEXT NOT NULL,
    networks TEXT NOT NULL,
    owner    TEXT,
    expires  INTEGER,
    created  INTEGER NOT NULL,
    removed  INTEGER
  ) STRICT, WITHOUT ROWID;
  -- The public keys of each issuer (a JWK Set), and where they came from: its address, or a file.
  CREATE TABLE issuers (
    url     TEXT PRIMARY KEY,
    keys    TEXT NOT NULL,
    source  TEXT NOT NULL,
    fetched INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  -- Tokens that were exchanged, by a hash of what makes them unique, until no server would take them any more.
  CREATE TABLE spent_tokens (
    hash BLOB PRIMARY KEY,
    ends INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  -- The publisher that a key was made for; NULL: a person made it.
  ALTER TABLE keys ADD COLUMN publisher TEXT;
  CREATE INDEX exchanged_keys ON keys (publisher, expires) WHERE publisher IS NOT NULL;
  `,
  `
  -- Whether a package names a blob is asked for each blob that is about to be removed.
  CREATE INDEX packages_of_blob ON packages (sha256);
  `,
  `
  -- Failed logins, refused keys and pushes (audit/refusals.ts); bounded, the oldest go first. key_id '': of no known key; from_group '': of
  -- several addresses.
  CREATE TABLE refusals (
    number     INTEGER PRIMARY KEY,
    code       TEXT NOT NULL,
    route      TEXT NOT NULL,
    key_id     TEXT NOT NULL,
    key_name   TEXT NOT NULL,
    from_group TEXT NOT NULL,
    count      INTEGER NOT NULL,
    first      INTEGER NOT NULL,
    last       INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX refusals_without_key ON refusals (number) WHERE key_id = '';
  CREATE INDEX refusals_with_key ON refusals (number) WHERE key_id <> '';
  `,
  `
  -- What an exchange of a token looks for (trust/sql-trust.ts).
  CREATE INDEX spent_tokens_by_end ON spent_tokens (ends);
  CREATE INDEX exchanged_keys_by_end ON keys (expires) WHERE publisher IS NOT NULL;
  `,
];
