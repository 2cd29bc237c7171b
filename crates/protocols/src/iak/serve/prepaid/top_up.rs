//! `top-up` and `check-status` (IAK reference, sections 4.2, 7.9 and 7.10).
//!
//! There is no duplicate in this API: a repeated reference asks for the state of what it names, and
//! everything else in the request is ignored. References of bills are in the same namespace; a top-up
//! under one of them is refused and says nothing about the bill.

use std::sync::Arc;
use std::time::Duration;

use domain::{Merchant, Order, Product, ProductStatus, ReferenceKey, Refusal};
use gateway::{Catalogue, Rejection, TopUpRequest};

use super::{Call, Denial, Served};
use crate::iak::NAME;
use crate::iak::codes::prepaid as codes;
use crate::iak::lists::operators;
use crate::iak::wire::answer::Message;
use crate::iak::wire::fields::FieldFault;
use crate::iak::wire::number::{Misfit, meter, telephone};
use crate::iak::wire::prepaid::{BoughtTopUp, Dialect, RefusedTopUp, Version};
use crate::iak::wire::reference::reference;

/// No customer's number of any product is longer, in characters.
const NUMBER_LENGTH_MAX: usize = 64;

impl From<Misfit> for Refusal {
    fn from(misfit: Misfit) -> Self {
        match misfit {
            Misfit::TooLong => Self::DestinationTooLong,
            Misfit::Wrong => Self::DestinationInvalid,
        }
    }
}

/// What is to be bought, and for whom.
#[derive(Clone, Copy)]
struct Asked<'a> {
    code: &'a str,
    destination: &'a str,
}

impl<'a> Asked<'a> {
    fn read(call: Call<'a>) -> Result<Self, FieldFault> {
        Ok(Self { destination: call.customer()?, code: call.product()? })
    }
}

/// The product that is asked for, with the code under which it is sold.
type Chosen<'a> = (&'a str, &'a Product);

impl Served {
    pub(super) async fn top_up(
        &self,
        merchant: &Arc<Merchant>,
        call: Call<'_>,
    ) -> Result<Message<'static>, Denial> {
        let ref_id = call.fields.numeral("ref_id")?;
        let asked = Asked::read(call);
        let reference = match reference(ref_id) {
            Ok(reference) => reference,
            // A field that cannot be used is told first.
            Err(refusal) => return Err(asked.map_or_else(Denial::from, |_| refusal.into())),
        };
        let key = self.key(merchant, reference);
        match self.gateway.order_by_reference(&key).await {
            Ok(order) => return self.stands(merchant, &order, call.version()).await,
            Err(Rejection::Refused(_)) => {}
            Err(fault @ Rejection::Fault(_)) => return Err(fault.into()),
        }
        let asked = asked?;
        let catalogue = self.gateway.catalogue();
        let chosen = self.chosen(&catalogue, merchant, asked);
        let bought = match chosen {
            Ok(chosen) => {
                let key = key.clone();
                self.buy(merchant, call.dialect, key, chosen, asked.destination).await
            }
            Err(refusal) => Err(refusal.into()),
        };
        match bought {
            // Somebody else took the reference meanwhile.
            Err(Denial::Refused(Refusal::ReferenceUsed)) => {
                let order = self.gateway.order_by_reference(&key).await?;
                self.stands(merchant, &order, call.version()).await
            }
            Err(Denial::Refused(refusal)) => {
                let price = chosen
                    .ok()
                    .and_then(|(_, product)| product.price_for(&merchant.level, &self.protocol));
                let balance = self.gateway.balance(merchant).await?;
                let Asked { code, destination } = asked;
                let refused = RefusedTopUp { ref_id, code, destination, price, balance };
                Ok(refused.refused(call.version(), codes::of_refusal(refusal)))
            }
            bought => bought,
        }
    }

    async fn buy(
        &self,
        merchant: &Arc<Merchant>,
        dialect: Dialect,
        key: ReferenceKey,
        (code, product): Chosen<'_>,
        destination: &str,
    ) -> Result<Message<'static>, Denial> {
        product.on_sale(self.gateway.now(), self.gateway.cut_offs())?;
        check_number(code, product, destination)?;
        let request = TopUpRequest {
            merchant: Arc::clone(merchant),
            protocol: key.protocol,
            mode: key.mode,
            reference: key.reference,
            code: code.to_owned(),
            destination: destination.to_owned(),
            dialect: dialect.name().to_owned(),
            calls_back: true,
            // The first answer says that it is in process, whatever has become of it by then.
            answer_within: Some(Duration::ZERO),
        };
        let payment = self.gateway.buy(request).await?;
        if payment.repeated {
            return self.stands(merchant, &payment.order, dialect.version).await;
        }
        Ok(self.bought(&payment.order)?.accepted(dialect.version, payment.balance))
    }

    pub(super) async fn prepaid_status(
        &self,
        merchant: &Merchant,
        call: Call<'_>,
    ) -> Result<Message<'static>, Denial> {
        let ref_id = call.fields.numeral("ref_id")?;
        // Nothing was ever bought under a text that cannot be a reference.
        let reference = reference(ref_id).map_err(|_| Refusal::OrderNotFound)?;
        let order = self.gateway.order_by_reference(&self.key(merchant, reference)).await?;
        if !self.is_top_up(&order) {
            return Err(Refusal::OrderNotFound.into());
        }
        self.stands(merchant, &order, call.version()).await
    }

    /// Where a top-up stands; refused for anything else.
    async fn stands(
        &self,
        merchant: &Merchant,
        order: &Order,
        version: Version,
    ) -> Result<Message<'static>, Denial> {
        let standing = codes::standing(order).filter(|_| self.is_top_up(order));
        let (status, code) = standing.ok_or(Refusal::ReferenceUsed)?;
        let balance = self.gateway.balance(merchant).await?;
        Ok(self.bought(order)?.told(version, status, code, balance))
    }

    /// A top-up with its number and price.
    pub(super) fn bought<'a>(&self, order: &'a Order) -> Result<BoughtTopUp<'a>, Denial> {
        let quote = order.quote.as_ref().ok_or(Refusal::OrderNotFound)?;
        Ok(BoughtTopUp { tr_id: self.number(order)?, order, quote })
    }

    /// The product that is asked for. Auto-detect codes ask for the credit of a face value of whichever
    /// operator the number belongs to (section 13.6).
    fn chosen<'a>(
        &self,
        catalogue: &'a Catalogue,
        merchant: &Merchant,
        asked: Asked<'a>,
    ) -> Result<Chosen<'a>, Refusal> {
        let named = catalogue.product_by_code(NAME, asked.code);
        if let Some(product) = named.filter(|product| product.top_up.is_some()) {
            return Ok((asked.code, product));
        }
        let denomination =
            operators::detected_denomination(asked.code).ok_or(Refusal::ProductUnknown)?;
        telephone(asked.destination)?;
        let operator = operators::of_number(asked.destination);
        let operator = operator.ok_or(Refusal::DestinationOperatorMismatch)?;
        let fits = |code: &str, product: &Product| {
            let sold = product.price_for(&merchant.level, &self.protocol).is_some();
            let worth = product.top_up.as_ref().is_some_and(|it| it.denomination == denomination);
            let credit = product.group.eq_ignore_ascii_case("pulsa");
            sold && worth && credit && operators::of_product(code, product) == Some(operator)
        };
        let fitting = catalogue.codes(NAME).map(|(code, product)| (code, product.as_ref()));
        // One that is switched off only if there is no other.
        let fitting = fitting.filter(|(code, product)| fits(code, product));
        fitting
            .min_by_key(|(_, product)| product.status == ProductStatus::Inactive)
            .ok_or(Refusal::ProductUnknown)
    }
}

/// Checks what a number must be like for a product (section 7.9). What nothing is known of, such as a
/// card or a subscription, only has to be a number at all, and the supplier judges it.
fn check_number(code: &str, product: &Product, number: &str) -> Result<(), Refusal> {
    match product.group.to_ascii_lowercase().as_str() {
        "pulsa" | "data" => {
            telephone(number)?;
            match operators::of_product(code, product) {
                Some(wanted) if operators::of_number(number) != Some(wanted) => {
                    Err(Refusal::DestinationOperatorMismatch)
                }
                Some(_) | None => Ok(()),
            }
        }
        "pln" => Ok(meter(number)?),
        group => {
            let printable = match group {
                // Players may choose names in any script.
                "game" => !number.chars().any(char::is_control),
                _ => number.bytes().all(|byte| byte.is_ascii_graphic()),
            };
            if number.chars().count() > NUMBER_LENGTH_MAX {
                Err(Refusal::DestinationTooLong)
            } else if printable {
                Ok(())
            } else {
                Err(Refusal::DestinationInvalid)
            }
        }
    }
}
