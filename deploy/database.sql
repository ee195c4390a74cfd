-- What a feed needs of PostgreSQL: a database with a schema of its own, and a role that may do nothing else.
-- compose.yaml runs it once, when the volume is new. Elsewhere: psql -f database.sql as a user who may create both, after replacing
-- the next line by \set password 'the password in DATABASE_URL'.
\set password `sed -nE 's,^postgres://feed:([^@]+)@.*,\1,p' /run/secrets/database_url`

CREATE ROLE feed LOGIN PASSWORD :'password';
CREATE DATABASE feed TEMPLATE template0 ENCODING 'UTF8';
REVOKE ALL ON DATABASE feed FROM PUBLIC;
GRANT CONNECT ON DATABASE feed TO feed;

\connect feed
CREATE SCHEMA feed AUTHORIZATION feed;
ALTER ROLE feed IN DATABASE feed SET search_path = feed;
