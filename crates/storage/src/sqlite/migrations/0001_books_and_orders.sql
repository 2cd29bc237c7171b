-- Why: the first tables. Merchants and what they can buy, the books (accounts, transfers,
-- fundings), the orders, and what operators did.
--
-- Amounts are whole minor units of the row's currency, times are milliseconds since the Unix
-- epoch, numbers are given out in order and never reused. Nothing is ever deleted. JSON stands only
-- where a value is a tree or a list that is read as a whole. No rule of the business stands here;
-- what the constraints say is that a row can be read back.

-- "LUNA", so that the file can be told from other databases.
pragma application_id = 1280659009;

-- One row, made with the database.
create table meta (
    id integer primary key check (id = 1),
    instance_key blob not null check (length(instance_key) = 32),
    -- The latest entry of the journal whose changes are in these tables.
    applied integer not null default 0 check (applied >= 0),
    -- Whether the tables are all of the data: whoever wrote them ended in order. While it is 0 the
    -- journal beside them belongs to the data, and a copy of this file alone is worth nothing.
    complete integer not null default 1 check (complete in (0, 1)),
    -- How many orders share a generation of references, as a power of two.
    generation_bits integer not null default 19
) strict;

create table merchants (
    id integer primary key,
    name text not null,
    currency text not null,
    level text not null,
    status text not null,
    addresses text not null,
    requests_per_second integer,
    burst integer,
    check ((requests_per_second is null) = (burst is null))
) strict;

-- Found by what a caller presents; the merchant comes out of it. The secrets are sealed where the
-- program was given a key.
create table credentials (
    protocol text not null,
    identifier text not null,
    serial integer not null,
    merchant integer not null,
    secrets text not null,
    expires_at_ms integer,
    revoked_at_ms integer,
    primary key (protocol, identifier, serial)
) strict, without rowid;

create table products (
    id text primary key,
    name text not null,
    product_group text not null,
    province text,
    status text not null,
    aliases text not null,
    terms text not null,
    cut_off_from_minute integer,
    cut_off_until_minute integer,
    check ((cut_off_from_minute is null) = (cut_off_until_minute is null))
) strict, without rowid;

-- The owner is a merchant's number, an upstream's or a channel's name, or empty, as the role wants.
create table accounts (
    id integer primary key,
    role text not null,
    owner text not null,
    currency text not null,
    debits_pending_minor integer not null check (debits_pending_minor >= 0),
    debits_posted_minor integer not null check (debits_posted_minor >= 0),
    credits_pending_minor integer not null check (credits_pending_minor >= 0),
    credits_posted_minor integer not null check (credits_posted_minor >= 0),
    latest_transfer integer,
    latest_hash blob check (length(latest_hash) = 32),
    check ((latest_transfer is null) = (latest_hash is null))
) strict;

create unique index accounts_name on accounts (role, owner, currency);

-- Both sides in one row, each linked to the transfer before it on its account, so that history
-- needs no index.
create table transfers (
    id integer primary key,
    order_id integer,
    kind text not null,
    hold integer,
    debit integer not null references accounts (id),
    credit integer not null references accounts (id),
    amount_minor integer not null check (amount_minor > 0),
    currency text not null,
    at_ms integer not null,
    previous_debit integer,
    previous_credit integer,
    hash blob not null check (length(hash) = 32),
    check ((hold is not null) = (kind in ('post', 'void')))
) strict;

-- A hold is posted or voided once.
create unique index transfers_hold on transfers (hold) where hold is not null;

-- A funding reference is used once.
create table fundings (
    merchant integer not null,
    reference text not null,
    direction text not null,
    amount_minor integer not null check (amount_minor >= 0),
    currency text not null,
    reason text not null,
    transfer integer not null references transfers (id),
    at_ms integer not null,
    primary key (merchant, reference)
) strict, without rowid;

create table orders (
    id integer primary key,
    merchant integer not null,
    protocol text not null,
    mode text not null,
    reference text not null,
    kind text not null,
    state text not null,
    refusal text,
    fingerprint blob not null check (length(fingerprint) = 32),
    product text not null,
    code text not null,
    destination text not null,
    upstream text not null,
    currency text,
    nominal_minor integer,
    admin_fee_minor integer,
    admin_minor integer,
    price_minor integer,
    charge_minor integer,
    bill text,
    created_at_ms integer not null,
    updated_at_ms integer not null,
    expires_at_ms integer not null,
    holds text not null,
    attempts text not null,
    question_due_at_ms integer,
    cost_minor integer,
    serial_number text,
    delivery_details text,
    check ((refusal is not null) = (state in ('declined', 'failed'))),
    check ((nominal_minor is null) = (charge_minor is null)),
    check ((cost_minor is null) = (serial_number is null))
) strict;

-- A reference is claimed once and for ever. Orders are taken together in generations by their
-- numbers; what a full generation claims is written once, in order: hashes with the numbers of the
-- orders, in buckets, and a filter over them. The newest generation has neither, because both can be
-- made from the orders themselves.
create table reference_buckets (
    bucket integer primary key,
    claims blob not null check (length(claims) % 12 = 0)
) strict;

create table reference_filters (
    generation integer primary key,
    bits blob not null,
    digest blob not null check (length(digest) = 32)
) strict;

-- Where references have been claimed, so that one can be looked for in all of them.
create table reference_spaces (
    merchant integer not null,
    protocol text not null,
    mode text not null,
    primary key (merchant, protocol, mode)
) strict, without rowid;

-- Only orders whose outcome is open stand in these two, so that timers need not look at the others.
create index orders_questions_due on orders (question_due_at_ms) where state = 'processing';
create index orders_processing on orders (id) where state = 'processing';

-- What operators did, each record chained to the one before it.
create table audit_records (
    number integer primary key,
    at_ms integer not null,
    actor text not null,
    role text not null,
    action text not null,
    subject text not null,
    facts_before text not null,
    facts_after text not null,
    request text,
    hash blob not null check (length(hash) = 32)
) strict;

create trigger audit_records_are_not_edited before update on audit_records
begin
    select raise(abort, 'audit records are not edited');
end;

create trigger audit_records_are_not_deleted before delete on audit_records
begin
    select raise(abort, 'audit records are not deleted');
end;

-- What was answered to a request that its caller named; kept for ever. Sealed like secrets, because
-- an answer may have issued some.
create table kept_answers (
    actor text not null,
    request text not null,
    fingerprint blob not null check (length(fingerprint) = 32),
    audit integer not null references audit_records (number),
    effect text not null,
    primary key (actor, request)
) strict, without rowid;

pragma user_version = 1;
