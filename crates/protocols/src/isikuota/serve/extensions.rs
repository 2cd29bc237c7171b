//! `/v1/products` and `/v1/status`: extensions of ours where the vendor's pages could not be read
//! (isikuota reference, section 7.1).

use domain::{Merchant, Product, ProductStatus, Reference, Refusal};

use super::order::mode;
use super::{Denial, NAME, Served};
use crate::isikuota::GAME;
use crate::isikuota::codes::{self, Standing};
use crate::isikuota::wire::answer::Message;
use crate::isikuota::wire::fields::Fields;
use crate::isikuota::wire::json::Json;

/// How a product is ordered, as the list writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Prepaid,
    Game,
    Bill,
}

impl Type {
    fn named(name: &str) -> Option<Self> {
        [Self::Prepaid, Self::Game, Self::Bill].into_iter().find(|it| it.name() == name)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Prepaid => "prepaid",
            Self::Game => "game",
            Self::Bill => "pascabayar",
        }
    }

    fn of(product: &Product) -> Self {
        match &product.top_up {
            Some(_) if product.group == GAME => Self::Game,
            Some(_) => Self::Prepaid,
            None => Self::Bill,
        }
    }
}

impl Served {
    /// What the merchant may buy, in the order of the codes. A product without a price for the
    /// merchant's level is not shown.
    pub(super) fn products(
        &self,
        merchant: &Merchant,
        mut fields: Fields<'_>,
    ) -> Result<Message, Denial> {
        let wanted_type = fields.optional_word("type", Type::named);
        let wanted_code = fields.optional_text("code");
        let (wanted_type, wanted_code) = fields.checked(Some((wanted_type, wanted_code)))?;
        let catalogue = self.gateway.catalogue();
        let wanted = |code: &str, product: &Product| {
            product.channel.is_none()
                && wanted_type.is_none_or(|wanted| Type::of(product) == wanted)
                && wanted_code.is_none_or(|wanted| code == wanted)
        };
        let listed = catalogue.codes(NAME).filter(|(code, product)| wanted(code, product));
        let entries = listed.filter_map(|(code, product)| self.entry(merchant, code, product));
        Ok(Message::with(codes::PRODUCTS, Json::List(entries.collect())))
    }

    fn entry(&self, merchant: &Merchant, code: &str, product: &Product) -> Option<Json> {
        let (brand, price, admin) = match &product.top_up {
            Some(top_up) => {
                let price = product.price_for(&merchant.level, &self.protocol)?;
                (top_up.operator.as_str(), price.minor(), 0)
            }
            None => {
                let terms = product.terms_for(&merchant.level, &self.protocol)?;
                (product.name.as_str(), 0, terms.admin_fee.minor())
            }
        };
        let status = match product.status {
            ProductStatus::Active => "active",
            ProductStatus::Inactive => "inactive",
        };
        Some(Json::object([
            ("code", Json::text(code)),
            ("name", Json::text(&product.name)),
            ("category", Json::text(&product.group)),
            ("brand", Json::text(brand)),
            ("type", Json::text(Type::of(product).name())),
            ("price", Json::Integer(price)),
            ("admin", Json::Integer(admin)),
            ("status", Json::text(status)),
        ]))
    }

    /// A transaction as it stands. An inquiry that nobody has paid is none.
    pub(super) async fn status(
        &self,
        merchant: &Merchant,
        mut fields: Fields<'_>,
    ) -> Result<Message, Denial> {
        let reference = fields.text("ref_id").map(Reference::new);
        let mode = mode(&mut fields);
        let reference = fields.checked(reference)?;
        let order = self.find(&self.key(merchant, mode, reference)).await?;
        let order = order.ok_or(Refusal::OrderNotFound)?;
        let standing = Standing::of(order.state).ok_or(Refusal::OrderNotFound)?;
        let data = self.shown(&order, |transaction| {
            if order.is_top_up() {
                transaction.top_up(standing)
            } else {
                transaction.paid(standing)
            }
        });
        Ok(Message::with(codes::STATUS, data))
    }
}
