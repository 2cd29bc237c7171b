//! Who holds which reference, without a random page of the tables per new order.
//!
//! Merchants choose references, so an index over them is read and written at random places, and
//! grows slower with every order. Here orders are taken together in generations by their numbers.
//! The newest generation is kept in memory, made anew from the rows of its orders when the data is
//! opened. Once orders of the next one are stored, it is sealed in the same commit: its claims
//! are written once, in order, into buckets, each about a fifth of a page. A [`Filter`] over the
//! claims of each generation, the newest too, tells almost every new reference apart without
//! looking at any of them.
//!
//! A claim is a keyed 64-bit hash of the whole reference key and the number of the order. The key
//! keeps merchants from choosing references that collide. A hash that is found is a hint; the row
//! of the order decides.
//!
//! Filters take a mebibyte per 524,288 orders, and every new order looks into all of them. Those of
//! the oldest generations are left out beyond [`FILTERS_MAX`]; their buckets are then looked at
//! each time.
//!
//! Only what is stored in the tables is known here. What is on its way there is found in the
//! overlay.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, PoisonError, RwLock};

use domain::audit::Finding;
use domain::{MerchantId, Mode, Order, OrderId, ProtocolName, Reference, ReferenceKey};
use foldhash::HashSet;
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use super::faults::Fault;
use super::fields::{Fields, MODES, Problem, damaged, stored_number, to_stored, word};
use super::filter::{Filter, Key};
use super::{orders, statements};

statements! {
    LAYOUT = "select instance_key, generation_bits from meta where id = 1";

    KEYS_FROM = "select id, merchant, protocol, mode, reference from orders where id >= ?1 \
         order by id";

    FILTER = "select bits, digest from reference_filters where generation = ?1";

    INSERT_FILTER = "insert into reference_filters (generation, bits, digest) values (?1, ?2, ?3)";

    BUCKET = "select claims from reference_buckets where bucket = ?1";

    BUCKETS = "select claims from reference_buckets where bucket >= ?1 and bucket < ?2 \
         order by bucket";

    INSERT_BUCKET = "insert into reference_buckets (bucket, claims) values (?1, ?2)";

    SPACES = "select merchant, protocol, mode from reference_spaces";

    INSERT_SPACE = "insert or ignore into reference_spaces (merchant, protocol, mode) \
         values (?1, ?2, ?3)";
}

/// How many filters are kept in memory at most: 128 MiB, for 67 million orders.
const FILTERS_MAX: usize = 128;
/// How many claims a bucket holds on average, as a power of two.
const BUCKET_BITS: u32 = 6;
/// How long a stored claim is: the hash and the number within the generation.
const CLAIM_LENGTH: usize = 12;
/// How many claims are noted before others may look.
const NOTED_AT_ONCE: usize = 64;

/// The hash of a reference and the number of its order within the generation.
type Claim = (u64, u32);

/// How references are spread.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// Makes the hashes unforeseeable.
    key: [u8; 32],
    /// How many orders make a generation, as a power of two.
    generation_bits: u32,
}

impl Layout {
    /// The one that was made with the data.
    pub(super) fn of(connection: &Connection) -> Result<Self, Fault> {
        let (key, generation_bits) = connection
            .prepare_cached(LAYOUT)?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        if !(BUCKET_BITS..=24).contains(&generation_bits) {
            return Err(damaged("meta", "generations of references have no possible size"));
        }
        Ok(Self { key, generation_bits })
    }

    fn hash(&self, key: &ReferenceKey) -> u64 {
        let mut hasher = Sha256::new();
        hasher.update(self.key);
        hasher.update(key.merchant.0.to_be_bytes());
        // No protocol has a zero byte in its name.
        hasher.update(key.protocol.as_str());
        hasher.update([0, u8::from(key.mode == Mode::Live)]);
        hasher.update(key.reference.as_str());
        let digest = hasher.finalize();
        u64::from_be_bytes(*digest.first_chunk().unwrap_or(&[0; 8]))
    }

    const fn generation(&self, order: OrderId) -> u64 {
        order.0 >> self.generation_bits
    }

    fn claim(&self, hash: u64, order: OrderId) -> Claim {
        let within = order.0 & ((1 << self.generation_bits) - 1);
        (hash, u32::try_from(within).unwrap_or(u32::MAX))
    }

    fn order(&self, generation: u64, within: u32) -> OrderId {
        OrderId((generation << self.generation_bits) | u64::from(within))
    }

    /// How many orders make a generation.
    const fn size(&self) -> usize {
        1 << self.generation_bits
    }

    /// The number of the bucket of a hash.
    fn bucket(&self, generation: u64, hash: u64) -> Result<i64, Fault> {
        let bits = self.generation_bits - BUCKET_BITS;
        let within = hash.checked_shr(u64::BITS - bits).unwrap_or(0);
        to_stored((generation << bits) | within, "bucket")
    }

    /// Those claims of a hash that a sealed generation has.
    fn claims(
        &self,
        connection: &Connection,
        generation: u64,
        hash: u64,
    ) -> Result<Vec<OrderId>, Fault> {
        let mut statement = connection.prepare_cached(BUCKET)?;
        let bucket = self.bucket(generation, hash)?;
        let mut rows = statement.query([bucket])?;
        let mut found = Vec::new();
        if let Some(row) = rows.next()? {
            for (other, within) in read_claims(&row.get::<_, Vec<u8>>(0)?) {
                if other == hash {
                    found.push(self.order(generation, within));
                }
            }
        }
        Ok(found)
    }

    /// All claims of a sealed generation, in order.
    fn all_claims(&self, connection: &Connection, generation: u64) -> Result<Vec<Claim>, Fault> {
        let mut statement = connection.prepare_cached(BUCKETS)?;
        let bounds = (self.bucket(generation, 0)?, self.bucket(generation + 1, 0)?);
        let mut rows = statement.query(bounds)?;
        let mut claims = Vec::new();
        while let Some(row) = rows.next()? {
            claims.extend(read_claims(&row.get::<_, Vec<u8>>(0)?));
        }
        Ok(claims)
    }

    fn filter_of(&self, claims: impl IntoIterator<Item = Claim>) -> Filter {
        let mut filter = Filter::with_room_for(self.size());
        claims.into_iter().for_each(|(hash, _)| filter.insert(Key::new(hash)));
        filter
    }

    /// The stored filter of a sealed generation, unless it is damaged or missing.
    fn stored_filter(
        &self,
        connection: &Connection,
        generation: u64,
    ) -> Result<Option<Filter>, Fault> {
        let mut statement = connection.prepare_cached(FILTER)?;
        let stored: Option<(Vec<u8>, [u8; 32])> = statement
            .query_row([to_stored(generation, "generation")?], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        Ok(stored.and_then(|(bits, digest)| {
            (Sha256::digest(&bits).as_slice() == digest)
                .then(|| Filter::from_bytes(&bits, self.size()))
                .flatten()
        }))
    }

    /// Writes the claims of a generation, sorted, for good.
    fn seal(
        &self,
        connection: &Connection,
        generation: u64,
        claims: &BTreeSet<Claim>,
    ) -> Result<Filter, Fault> {
        let mut insert = connection.prepare_cached(INSERT_BUCKET)?;
        let mut bytes = Vec::new();
        let mut open = None;
        for (hash, within) in claims {
            let bucket = self.bucket(generation, *hash)?;
            if let Some(full) = open.replace(bucket).filter(|full| *full != bucket) {
                insert.execute(params![full, bytes])?;
                bytes.clear();
            }
            bytes.extend(hash.to_be_bytes());
            bytes.extend(within.to_be_bytes());
        }
        if let Some(last) = open {
            insert.execute(params![last, bytes])?;
        }
        let filter = self.filter_of(claims.iter().copied());
        let bits = filter.to_bytes();
        connection.prepare_cached(INSERT_FILTER)?.execute(params![
            to_stored(generation, "generation")?,
            bits,
            Sha256::digest(&bits).as_slice(),
        ])?;
        Ok(filter)
    }
}

fn read_claims(bytes: &[u8]) -> impl Iterator<Item = Claim> {
    let (claims, _) = bytes.as_chunks::<CLAIM_LENGTH>();
    claims.iter().map(|claim| {
        let [a, b, c, d, e, f, g, h, within @ ..] = *claim;
        (u64::from_be_bytes([a, b, c, d, e, f, g, h]), u32::from_be_bytes(within))
    })
}

/// The references of all stored orders.
#[derive(Debug)]
pub(super) struct References {
    layout: Layout,
    known: RwLock<Known>,
}

/// The generation that is not sealed.
#[derive(Debug)]
struct Newest {
    claims: BTreeSet<Claim>,
    filter: Filter,
}

impl Newest {
    /// Without claims, and with room for so many.
    fn with_room_for(claims: usize) -> Self {
        Self { claims: BTreeSet::new(), filter: Filter::with_room_for(claims) }
    }

    fn insert(&mut self, claim: Claim) {
        self.filter.insert(Key::new(claim.0));
        self.claims.insert(claim);
    }

    /// The numbers under which a hash is claimed. The claims are many and lie anywhere in memory, so
    /// the filter is asked first.
    fn claimed(&self, hash: u64, key: Key) -> impl Iterator<Item = u32> {
        let claims =
            self.filter.may_hold(key).then(|| self.claims.range((hash, 0)..=(hash, u32::MAX)));
        claims.into_iter().flatten().map(|(_, within)| *within)
    }
}

#[derive(Debug)]
struct Known {
    /// The number of the newest generation.
    generation: u64,
    newest: Newest,
    /// Of the generations just before it, the latest last. None where a stored one is unreadable.
    filters: VecDeque<Option<Filter>>,
}

/// What a commit claims. It is true once the commit is durable.
#[derive(Debug)]
pub(super) struct Claims {
    sealed: Vec<Filter>,
    generation: u64,
    newest: Vec<Claim>,
}

impl References {
    /// What the tables hold.
    pub(super) fn open(connection: &Connection) -> Result<Self, Fault> {
        let layout = Layout::of(connection)?;
        let generation = layout.generation(OrderId(orders::last_number(connection)?));
        let first = layout.order(generation, 0);
        let mut newest = Newest::with_room_for(layout.size());
        each_key(connection, first, |order, key| {
            newest.insert(layout.claim(layout.hash(&key), order));
        })?;
        let oldest = generation.saturating_sub(u64::try_from(FILTERS_MAX).unwrap_or(u64::MAX));
        let mut filters = VecDeque::new();
        for sealed in oldest..generation {
            filters.push_back(layout.stored_filter(connection, sealed)?);
        }
        Ok(Self { layout, known: RwLock::new(Known { generation, newest, filters }) })
    }

    /// Whether no stored order holds this reference, as far as memory alone can tell at once. Says so
    /// of almost every reference that is new. Never waits, and is never wrong when it says yes.
    pub(super) fn is_free(&self, key: &ReferenceKey) -> bool {
        let Ok(known) = self.known.try_read() else { return false };
        let (newest, sealed) = self.candidates_among(&known, self.layout.hash(key));
        newest.is_empty() && sealed.is_empty()
    }

    /// The stored order that holds this reference.
    pub(super) fn find(
        &self,
        connection: &Connection,
        key: &ReferenceKey,
    ) -> Result<Option<Arc<Order>>, Fault> {
        let hash = self.layout.hash(key);
        let (mut candidates, sealed) = self.candidates(hash);
        for generation in sealed {
            candidates.extend(self.layout.claims(connection, generation, hash)?);
        }
        for id in candidates {
            if let Some(order) = orders::by_id(connection, id)?.filter(|it| it.key == *key) {
                return Ok(Some(order));
            }
        }
        Ok(None)
    }

    /// Orders of the newest generation that may hold it, and sealed generations that may.
    fn candidates(&self, hash: u64) -> (Vec<OrderId>, Vec<u64>) {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        self.candidates_among(&known, hash)
    }

    fn candidates_among(&self, known: &Known, hash: u64) -> (Vec<OrderId>, Vec<u64>) {
        let key = Key::new(hash);
        let newest = known.newest.claimed(hash, key);
        let newest = newest.map(|within| self.layout.order(known.generation, within));
        let mut sealed = Vec::new();
        let mut filters = known.filters.iter().rev();
        for generation in (0..known.generation).rev() {
            // Beyond the last filter every generation may have it.
            let filter = filters.next().and_then(Option::as_ref);
            if filter.is_none_or(|filter| filter.may_hold(key)) {
                sealed.push(generation);
            }
        }
        (newest.collect(), sealed)
    }

    /// Orders of all merchants, protocols and modes under this reference, newest first.
    pub(super) fn named(
        &self,
        connection: &Connection,
        reference: &str,
        limit: u32,
    ) -> Result<Vec<Arc<Order>>, Fault> {
        let reference = Reference::new(reference);
        let mut found = Vec::new();
        for (merchant, protocol, mode) in spaces(connection)? {
            let key = ReferenceKey { merchant, protocol, mode, reference: reference.clone() };
            found.extend(self.find(connection, &key)?);
        }
        found.sort_unstable_by_key(|order| std::cmp::Reverse(order.id));
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(found)
    }

    /// Writes what these new orders claim, given in the order of their numbers. The commit may yet
    /// fail, so [`References::note`] is to be called after it.
    pub(super) fn write<'a>(
        &self,
        connection: &Connection,
        new_orders: impl Iterator<Item = &'a Order>,
    ) -> Result<Claims, Fault> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut claims =
            Claims { sealed: Vec::new(), generation: known.generation, newest: Vec::new() };
        let mut spaces = HashSet::default();
        for order in new_orders {
            while claims.generation < self.layout.generation(order.id) {
                let mut full: BTreeSet<_> = claims.newest.drain(..).collect();
                if claims.generation == known.generation {
                    full.extend(&known.newest.claims);
                }
                claims.sealed.push(self.layout.seal(connection, claims.generation, &full)?);
                claims.generation += 1;
            }
            claims.newest.push(self.layout.claim(self.layout.hash(&order.key), order.id));
            if spaces.insert((order.key.merchant, &order.key.protocol, order.key.mode)) {
                connection.prepare_cached(INSERT_SPACE)?.execute(params![
                    order.key.merchant.0,
                    order.key.protocol.as_str(),
                    word(&MODES, &order.key.mode),
                ])?;
            }
        }
        Ok(claims)
    }

    /// Takes over what a durable commit claimed.
    pub(super) fn note(&self, claims: Claims) {
        let lock = || self.known.write().unwrap_or_else(PoisonError::into_inner);
        if !claims.sealed.is_empty() {
            let empty = Newest::with_room_for(self.layout.size());
            let mut known = lock();
            known.filters.extend(claims.sealed.into_iter().map(Some));
            while known.filters.len() > FILTERS_MAX {
                known.filters.pop_front();
            }
            known.generation = claims.generation;
            let full = std::mem::replace(&mut known.newest, empty);
            // Giving up so much memory takes its time, as taking it does.
            drop(known);
            drop(full);
        }
        for some in claims.newest.chunks(NOTED_AT_ONCE) {
            let mut known = lock();
            some.iter().for_each(|claim| known.newest.insert(*claim));
        }
    }
}

/// Shows the reference of every order from this number on.
fn each_key(
    connection: &Connection,
    first: OrderId,
    mut visit: impl FnMut(OrderId, ReferenceKey),
) -> Result<(), Fault> {
    let Some(first) = stored_number(first.0) else { return Ok(()) };
    let mut statement = connection.prepare_cached(KEYS_FROM)?;
    let mut rows = statement.query([first])?;
    while let Some(row) = rows.next()? {
        let mut fields = Fields::new(row);
        let number: u64 = fields.number().map_err(|problem| damaged("order", problem))?;
        let mut key = || -> Result<ReferenceKey, Problem> {
            Ok(ReferenceKey {
                merchant: fields.merchant()?,
                protocol: ProtocolName::new(fields.text()?),
                mode: fields.word(&MODES)?,
                reference: Reference::new(fields.text()?),
            })
        };
        // The row of an order that cannot be read answers nobody, and is found by the audit.
        if let Ok(key) = key() {
            visit(OrderId(number), key);
        }
    }
    Ok(())
}

fn spaces(connection: &Connection) -> Result<Vec<(MerchantId, ProtocolName, Mode)>, Fault> {
    let mut statement = connection.prepare_cached(SPACES)?;
    let mut rows = statement.query([])?;
    let mut spaces = Vec::new();
    while let Some(row) = rows.next()? {
        let mut fields = Fields::new(row);
        let mut read = || -> Result<_, Problem> {
            let protocol = |name: &str| ProtocolName::new(name);
            Ok((fields.merchant()?, protocol(fields.text()?), fields.word(&MODES)?))
        };
        spaces.push(read().map_err(|problem| damaged("reference spaces", problem))?);
    }
    Ok(spaces)
}

/// Proves that every stored order has its claim and no reference is claimed twice. It trusts no
/// stored filter and makes them all anew. It needs as much memory as they.
pub(super) struct Audit<'a> {
    connection: &'a Connection,
    layout: Layout,
    /// The generation that is being looked at.
    generation: u64,
    claims: Vec<Claim>,
    /// Of the generations before it.
    filters: Vec<Filter>,
    spaces: HashSet<(MerchantId, ProtocolName, Mode)>,
}

impl<'a> Audit<'a> {
    pub(super) fn new(connection: &'a Connection) -> Result<Self, Fault> {
        Ok(Self {
            connection,
            layout: Layout::of(connection)?,
            generation: 0,
            claims: Vec::new(),
            filters: Vec::new(),
            spaces: spaces(connection)?.into_iter().collect(),
        })
    }

    /// Looks at the next stored order, in the order of their numbers.
    pub(super) fn order(&mut self, order: &Order) -> Result<(), Fault> {
        while self.generation < self.layout.generation(order.id) {
            self.end_sealed()?;
        }
        let space = (order.key.merchant, order.key.protocol.clone(), order.key.mode);
        if !self.spaces.contains(&space) {
            return Err(finding(order.id, "is of a merchant and protocol without a space"));
        }
        let hash = self.layout.hash(&order.key);
        self.compare_with_sealed(hash, order)?;
        self.claims.push(self.layout.claim(hash, order.id));
        Ok(())
    }

    /// Looks at the newest generation once all stored orders were shown, and at orders that are
    /// not stored yet.
    pub(super) fn finish<'b>(
        mut self,
        pending: impl IntoIterator<Item = &'b Order>,
    ) -> Result<(), Fault> {
        self.compare_within()?;
        let mut claimed = HashSet::default();
        for order in pending {
            let hash = self.layout.hash(&order.key);
            self.compare_with_sealed(hash, order)?;
            let from = self.claims.partition_point(|(other, _)| *other < hash);
            let same = self.claims[from..].iter().take_while(|(other, _)| *other == hash);
            for (_, within) in same {
                self.compare(self.layout.order(self.generation, *within), order)?;
            }
            if !claimed.insert(&order.key) {
                return Err(finding(order.id, "claims the reference of an order before it"));
            }
        }
        Ok(())
    }

    fn compare_with_sealed(&self, hash: u64, order: &Order) -> Result<(), Fault> {
        let key = Key::new(hash);
        for (generation, filter) in (0..).zip(&self.filters) {
            if filter.may_hold(key) {
                for other in self.layout.claims(self.connection, generation, hash)? {
                    self.compare(other, order)?;
                }
            }
        }
        Ok(())
    }

    fn compare(&self, other: OrderId, order: &Order) -> Result<(), Fault> {
        let stored = orders::by_id(self.connection, other)?;
        if stored.is_some_and(|stored| stored.key == order.key) {
            return Err(finding(order.id, &format!("claims the reference of order {other}")));
        }
        Ok(())
    }

    /// Claims of one hash within the generation must be of different references.
    fn compare_within(&mut self) -> Result<(), Fault> {
        self.claims.sort_unstable();
        for pair in self.claims.windows(2) {
            let [(first, one), (second, other)] = pair else { continue };
            if first == second
                && let [one, other] =
                    [one, other].map(|within| self.layout.order(self.generation, *within))
                && let Some(order) = orders::by_id(self.connection, other)?
            {
                self.compare(one, &order)?;
            }
        }
        Ok(())
    }

    fn end_sealed(&mut self) -> Result<(), Fault> {
        self.compare_within()?;
        let generation = self.generation;
        let stored = self.layout.all_claims(self.connection, generation)?;
        for pair in self.claims.iter().zip(stored.iter().map(Some).chain(std::iter::repeat(None))) {
            let (claim, stored) = pair;
            if stored != Some(claim) {
                let order = self.layout.order(generation, claim.1);
                return Err(finding(order, "has not the claim to its reference that was stored"));
            }
        }
        let record = || format!("references of generation {generation}");
        if stored.len() > self.claims.len() {
            return Err(damaged(record(), "are more than its orders"));
        }
        let filter = self.layout.filter_of(self.claims.drain(..));
        if self.layout.stored_filter(self.connection, generation)?.as_ref() != Some(&filter) {
            return Err(damaged(record(), "have not the filter that was stored"));
        }
        self.filters.push(filter);
        self.generation += 1;
        Ok(())
    }
}

fn finding(order: OrderId, problem: &str) -> Fault {
    Fault::Damaged(Finding { record: format!("order {order}"), problem: problem.to_owned() })
}

#[cfg(test)]
#[path = "references_tests.rs"]
mod tests;
