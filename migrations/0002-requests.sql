-- What was asked for. A row never changes: what an approver has read is what comes into force.
create table rolegate.requests (
  id bigint generated always as identity primary key,
  kind text not null check (kind in ('approval', 'break-glass')),
  -- Everything that the entry of access says under which it was asked.
  rule text not null,
  requester_name text not null,
  -- Who vouches for the name.
  requester_origin text not null,
  -- The requester and the connection as they were then, for the conditions.
  requester jsonb not null,
  connection jsonb not null,
  role text not null,
  database text not null,
  duration_ms bigint not null check (duration_ms > 0),
  reason text not null check (length(reason) between 1 and 500),
  approvals smallint not null check ((kind = 'approval') = (approvals > 0)),
  asked_at timestamptz not null,
  -- It is neither pending nor in force from then on, whatever is decided.
  over_at timestamptz not null
);
create index requests_over_at on rolegate.requests (over_at);
create index requests_of_person on rolegate.requests (requester_name, id);

create table rolegate.request_decisions (
  id bigint generated always as identity primary key,
  request bigint not null references rolegate.requests on delete cascade,
  kind text not null check (kind in ('approve', 'deny', 'withdraw')),
  name text not null,
  origin text not null,
  -- The name as it is compared where two people are asked for.
  person text not null,
  comment text not null check (length(comment) <= 500),
  decided_at timestamptz not null
);
create index decisions_of_request on rolegate.request_decisions (request);
-- Nobody counts twice, and nothing is decided behind the end, even if the program that writes here were wrong.
create unique index one_approval_each on rolegate.request_decisions (request, person) where kind = 'approve';
create unique index one_end on rolegate.request_decisions (request) where kind <> 'approve';

create function rolegate.request_is_immutable() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'requests and decisions are never changed' using errcode = '55000';
end $$;
create trigger request_is_immutable before update on rolegate.requests
  for each statement execute function rolegate.request_is_immutable();
create trigger request_is_immutable before update on rolegate.request_decisions
  for each statement execute function rolegate.request_is_immutable();

-- Whoever changes anything here holds this row first, so that changes come one after the other.
insert into rolegate.versions (topic) values ('requests');

create function rolegate.requests_changed() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  update rolegate.versions set version = version + 1 where topic = 'requests';
  perform pg_notify('rolegate_requests', '');
  return null;
end $$;
create trigger requests_changed after insert or delete or truncate on rolegate.requests
  for each statement execute function rolegate.requests_changed();
create trigger requests_changed after insert or delete or truncate on rolegate.request_decisions
  for each statement execute function rolegate.requests_changed();
