//! Merchants, credentials, products and addresses for callbacks as one snapshot in memory, made for look-up.
//!
//! A snapshot never changes; a change makes a new one. Everything here also stands in the store.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use domain::{
    Credential, Endpoint, EndpointKey, Merchant, MerchantId, Preferences, Product, ProductId,
    ProtocolName, Timestamp,
};

/// The snapshot.
#[derive(Debug, Default)]
pub struct Catalogue {
    merchants: BTreeMap<MerchantId, Arc<Merchant>>,
    credentials: HashMap<ProtocolName, HashMap<String, Vec<Arc<Credential>>>>,
    products: BTreeMap<ProductId, Arc<Product>>,
    aliases: HashMap<ProtocolName, BTreeMap<String, Arc<Product>>>,
    endpoints: BTreeMap<EndpointKey, Arc<Endpoint>>,
    preferences: HashMap<EndpointKey, Arc<Preferences>>,
}

impl Catalogue {
    /// Arranges what the store holds.
    pub fn new(
        merchants: Vec<Merchant>,
        credentials: Vec<Credential>,
        products: Vec<Product>,
    ) -> Self {
        let mut catalogue = Self::default();
        for merchant in merchants {
            catalogue.merchants.insert(merchant.id, Arc::new(merchant));
        }
        for credential in credentials.into_iter().filter(|it| it.revoked_at.is_none()) {
            let of_protocol = catalogue.credentials.entry(credential.protocol.clone()).or_default();
            let of_identifier = of_protocol.entry(credential.identifier.clone()).or_default();
            of_identifier.push(Arc::new(credential));
        }
        for product in products {
            let product = Arc::new(product);
            for alias in &product.aliases {
                let of_protocol = catalogue.aliases.entry(alias.protocol.clone()).or_default();
                of_protocol.insert(alias.code.clone(), Arc::clone(&product));
            }
            catalogue.products.insert(product.id.clone(), product);
        }
        catalogue
    }

    /// The same with these addresses for callbacks.
    #[must_use]
    pub fn with_endpoints(mut self, endpoints: Vec<Endpoint>) -> Self {
        let endpoints = endpoints.into_iter();
        self.endpoints = endpoints.map(|it| (it.key.clone(), Arc::new(it))).collect();
        self
    }

    /// The same with what merchants want of protocols.
    #[must_use]
    pub fn with_preferences(mut self, preferences: Vec<Preferences>) -> Self {
        for preferences in preferences {
            let key = EndpointKey {
                merchant: preferences.merchant,
                protocol: preferences.protocol.clone(),
            };
            self.preferences.insert(key, Arc::new(preferences));
        }
        self
    }

    /// What this merchant wants of a protocol under this name; none unless it was set.
    pub fn preference(&self, key: &EndpointKey, name: &str) -> Option<&str> {
        self.preferences.get(key)?.values.get(name).map(String::as_str)
    }

    /// All that this merchant wants of a protocol; none if nothing was ever set.
    pub fn preferences(&self, key: &EndpointKey) -> Option<&Arc<Preferences>> {
        self.preferences.get(key)
    }

    /// Where this merchant is called back in this protocol, stopped or not.
    pub fn endpoint(&self, key: &EndpointKey) -> Option<&Arc<Endpoint>> {
        self.endpoints.get(key)
    }

    /// Where a merchant is called back, in the order of the protocols' names.
    pub fn endpoints_of(&self, merchant: MerchantId) -> impl Iterator<Item = &Arc<Endpoint>> {
        self.endpoints.values().filter(move |endpoint| endpoint.key.merchant == merchant)
    }

    /// Whether nobody could deal yet.
    pub fn is_empty(&self) -> bool {
        self.merchants.is_empty()
    }

    /// The merchant of this number.
    pub fn merchant(&self, id: MerchantId) -> Option<&Arc<Merchant>> {
        self.merchants.get(&id)
    }

    /// The merchants in the order of their numbers, from the first above `after`.
    pub fn merchants_after(
        &self,
        after: Option<MerchantId>,
    ) -> impl Iterator<Item = &Arc<Merchant>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.merchants.range((from, Bound::Unbounded)).map(|(_, merchant)| merchant)
    }

    /// The products in the order of their names, from the first above `after`.
    pub fn products_after(&self, after: Option<ProductId>) -> impl Iterator<Item = &Arc<Product>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.products.range((from, Bound::Unbounded)).map(|(_, product)| product)
    }

    /// A merchant's credentials that were not revoked, in the order of protocol, identifier and
    /// serial.
    pub fn credentials_of(&self, merchant: MerchantId) -> Vec<&Arc<Credential>> {
        let all = self.credentials.values().flat_map(HashMap::values).flatten();
        let mut own: Vec<_> = all.filter(|it| it.merchant == merchant).collect();
        own.sort_by_key(|it| (&it.protocol, &it.identifier, it.serial));
        own
    }

    /// The credentials under this identifier that are worth something at this instant.
    pub fn live_credentials(
        &self,
        protocol: &str,
        identifier: &str,
        at: Timestamp,
    ) -> Vec<Arc<Credential>> {
        let known = self.credentials(protocol, identifier).iter();
        known.filter(|credential| credential.is_live(at)).cloned().collect()
    }

    /// The credentials under this identifier that were not revoked; several during a rotation. Some
    /// may have expired.
    pub fn credentials(&self, protocol: &str, identifier: &str) -> &[Arc<Credential>] {
        self.credentials
            .get(protocol)
            .and_then(|of_protocol| of_protocol.get(identifier))
            .map_or(&[], Vec::as_slice)
    }

    /// Every live credential of every merchant, in no particular order.
    pub fn all_credentials(&self) -> impl Iterator<Item = &Arc<Credential>> {
        self.credentials.values().flat_map(HashMap::values).flatten()
    }

    /// The product of this name.
    pub fn product(&self, id: &ProductId) -> Option<&Arc<Product>> {
        self.products.get(id)
    }

    /// The product that this protocol calls by this code.
    pub fn product_by_code(&self, protocol: &str, code: &str) -> Option<&Arc<Product>> {
        self.aliases.get(protocol).and_then(|of_protocol| of_protocol.get(code))
    }

    /// Every code of this protocol with its product, in the order of the codes.
    pub fn codes(&self, protocol: &str) -> impl Iterator<Item = (&str, &Arc<Product>)> {
        self.aliases
            .get(protocol)
            .into_iter()
            .flatten()
            .map(|(code, product)| (code.as_str(), product))
    }
}
