-- What is taken away: who, which session, token, key, certificate or role, why, until when and by whom. Rows stay when they
-- are lifted: they say what was in force.
create table rolegate.revocations (
  id bigint generated always as identity primary key,
  kind text not null check (kind in ('name', 'session', 'token', 'key', 'certificate', 'role')),
  value text not null check (length(value) between 1 and 1024),
  -- Of a token or a key; null: of any.
  issuer text check (issuer is null or kind in ('token', 'key')),
  -- Of a role; null: in all.
  database text check (database is null or kind = 'role'),
  reason text not null check (length(reason) between 1 and 500),
  made_by text not null check (length(made_by) between 1 and 500),
  made_at timestamptz not null default now(),
  until timestamptz,
  lifted_by text,
  lifted_at timestamptz,
  lift_reason text,
  check ((lifted_at is null) = (lifted_by is null))
);
create index revocations_in_force on rolegate.revocations (id) where lifted_at is null;

-- The version of what a topic's readers keep in memory. Whoever changes it holds its row until the commit, so versions
-- become visible in their order.
create table rolegate.versions (
  topic text primary key,
  version bigint not null default 0
);
insert into rolegate.versions (topic) values ('revocations');

create function rolegate.revocations_changed() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  update rolegate.versions set version = version + 1 where topic = 'revocations';
  perform pg_notify('rolegate_revocations', '');
  return null;
end $$;
create trigger revocations_changed after insert or update or delete or truncate on rolegate.revocations
  for each statement execute function rolegate.revocations_changed();

-- Who serves, and which sessions are open there: what is lost in a crash is written anew seconds later.
create unlogged table rolegate.instances (
  id uuid primary key,
  host text not null,
  pid integer not null,
  started_at timestamptz not null default now(),
  seen_at timestamptz not null default now()
);
create unlogged table rolegate.sessions (
  id uuid primary key,
  instance uuid not null references rolegate.instances on delete cascade,
  identity text not null,
  method text not null,
  -- What proved it, as it is named in revocations; no secret.
  credential jsonb not null,
  role text not null,
  database text not null,
  client text not null,
  begun_at timestamptz not null,
  state text not null
);
create index sessions_of_instance on rolegate.sessions (instance);
