-- Why: the first tables. Merchants and what they can buy, the books (accounts, transfers,
-- fundings), the orders with the news and the money that belong to them, and what operators did.
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
    repetition text not null,
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
    top_up text,
    channel text,
    check ((cut_off_from_minute is null) = (cut_off_until_minute is null))
) strict, without rowid;

-- Where merchants are called back. The secret is sealed like those of credentials.
create table endpoints (
    merchant integer not null,
    protocol text not null,
    url text not null,
    secret text not null,
    stopped_at_ms integer,
    primary key (merchant, protocol)
) strict, without rowid;

-- What merchants want of protocols.
create table preferences (
    merchant integer not null,
    protocol text not null,
    preferences text not null,
    primary key (merchant, protocol)
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
    dialect text not null,
    calls_back integer not null check (calls_back in (0, 1)),
    callback_url text,
    callbacks text not null,
    -- The rest is particular to collections and payouts. What is due may be in a money of the
    -- channel's own; what is credited and the fee are in the row's currency.
    channel text,
    due_minor integer,
    due_currency text,
    gross_minor integer,
    fee_minor integer,
    return_url text,
    in_review integer check (in_review in (0, 1)),
    particulars text,
    evidence_source text,
    evidence_id text,
    -- The first of the transfers by which a collection was paid; the others follow it.
    paid_by_transfer integer,
    recipient text,
    check ((refusal is not null) = (state in ('declined', 'failed'))),
    check ((channel is null) = (due_minor is null)),
    check ((evidence_source is null) = (evidence_id is null)),
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

-- Only orders whose outcome is open stand in these, so that timers need not look at the others.
create index orders_questions_due on orders (question_due_at_ms) where state = 'processing';
create index orders_processing on orders (id) where state = 'processing';
create index orders_awaiting on orders (channel, due_currency, due_minor) where state = 'awaiting';
create index orders_expiring on orders (expires_at_ms) where state = 'awaiting';

-- The latest order that counts towards a merchant's own limit of one number on one day, by its
-- product or by all products together; then the product is empty.
create table day_claims (
    merchant integer not null,
    day integer not null,
    destination text not null,
    all_products integer not null check (all_products in (0, 1)),
    product text not null,
    order_id integer not null references orders (id),
    primary key (merchant, day, destination, all_products, product),
    check (all_products = 0 or product = '')
) strict, without rowid;

-- What is owed to merchants. The headers and the body are there from the first try on. Something is
-- due as long as the callback is open: the next try, or the end of a lease. The number of the process
-- that holds the lease fills 64 bits, so it may stand here as a negative one.
create table callbacks (
    id integer primary key,
    order_id integer not null references orders (id),
    merchant integer not null,
    protocol text not null,
    event text not null,
    to_own_address integer not null check (to_own_address in (0, 1)),
    at_ms integer not null,
    balance_minor integer not null check (balance_minor >= 0),
    currency text not null,
    headers text,
    body blob,
    state text not null,
    due_at_ms integer,
    lease_owner integer,
    tries integer not null,
    tries_in_round integer not null,
    check ((headers is null) = (body is null)),
    check ((due_at_ms is not null) = (state in ('waiting', 'leased'))),
    check ((lease_owner is not null) = (state = 'leased'))
) strict;

-- Only open callbacks stand in these two: address by address, the longest due first, and with all
-- that is counted; and those that a process has leased.
create index callbacks_due on callbacks (merchant, protocol, due_at_ms, at_ms)
    where due_at_ms is not null;
create index callbacks_leased on callbacks (id) where state = 'leased';

-- Every try to hand a callback over. Of status, excerpt and problem those are there that the try
-- brought.
create table deliveries (
    callback integer not null references callbacks (id),
    number integer not null,
    at_ms integer not null,
    took_ms integer not null,
    received text not null,
    status integer,
    excerpt text,
    problem text,
    primary key (callback, number),
    check ((status is not null) = (received = 'answered')),
    check ((excerpt is not null) = (received = 'answered')),
    check ((problem is not null) = (received = 'unreachable'))
) strict, without rowid;

-- Money that came in, under its source's own name for it. It pays one order, stands on suspense by
-- a transfer, or was given to a merchant or, without one, back to whoever sent it.
create table evidence (
    source text not null,
    id text not null,
    channel text not null,
    amount_minor integer not null check (amount_minor > 0),
    currency text not null,
    sender text not null,
    reference text not null,
    came_in_at_ms integer not null,
    seen_at_ms integer not null,
    state text not null,
    order_id integer,
    reason text,
    transfer integer references transfers (id),
    released_to integer,
    primary key (source, id),
    check ((order_id is not null) = (state = 'used')),
    check ((reason is not null) = (state = 'suspended')),
    check ((transfer is not null) = (state = 'suspended')),
    check (released_to is null or state = 'released')
) strict, without rowid;

-- What may still pay an order, and what a person may have to look at or has decided. Most of what
-- comes in pays an order and stands in neither.
create index evidence_free on evidence (channel, currency, amount_minor)
    where state in ('open', 'suspended');
create index evidence_unused on evidence (state) where state <> 'used';

-- What a payer named for an order, once and for ever.
create table payer_references (
    channel text not null,
    reference text not null,
    order_id integer not null references orders (id),
    primary key (channel, reference)
) strict, without rowid;

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
