//! `pricelist-pasca` (IAK reference, section 5.1).

use domain::{Merchant, Product, ProductStatus};
use gateway::exchanges::Note;

use super::{Denial, NAME, Served, said};
use crate::exchange::Answer;
use crate::iak::wire::Format;
use crate::iak::wire::answer::{Message, price_list_entry};
use crate::iak::wire::desc::WATER;
use crate::iak::wire::fields::{FieldFault, Fields, Flaw};

/// What a merchant wants to see.
struct Filter<'a> {
    status: Option<ProductStatus>,
    group: Option<&'a str>,
    province: Option<&'a str>,
}

impl<'a> Filter<'a> {
    fn read(fields: Fields<'a>, group: Option<&'a str>) -> Result<Self, FieldFault> {
        let province = fields.optional_text("province")?;
        // A province means something for water only.
        let of_water = group.is_some_and(|group| group.eq_ignore_ascii_case(WATER));
        Ok(Self { status: status(fields)?, group, province: province.filter(|_| of_water) })
    }

    fn shows(&self, product: &Product) -> bool {
        let bill = product.top_up.is_none() && product.channel.is_none();
        let of_status = self.status.is_none_or(|status| product.status == status);
        let of_group = self.group.is_none_or(|group| product.group.eq_ignore_ascii_case(group));
        let in_province = self.province.is_none_or(|province| {
            let served = product.province.as_deref();
            served.is_some_and(|served| served.to_lowercase() == province.to_lowercase())
        });
        bill && of_status && of_group && in_province
    }
}

/// Both spellings of the second state are in use; no status means all.
pub(super) fn status(fields: Fields<'_>) -> Result<Option<ProductStatus>, FieldFault> {
    let field = "status";
    let text = fields.optional_text(field)?.unwrap_or("all").to_ascii_lowercase();
    match text.as_str() {
        "all" => Ok(None),
        "active" => Ok(Some(ProductStatus::Active)),
        "non active" | "non-active" => Ok(Some(ProductStatus::Inactive)),
        _ => Err(FieldFault { field, flaw: Flaw::Value }),
    }
}

impl Served {
    /// The bills that the merchant may pay and at which terms, in the order of the codes. A product without
    /// terms for the merchant's level is not shown.
    pub(super) fn price_list(
        &self,
        merchant: &Merchant,
        fields: Fields<'_>,
        group: Option<&str>,
        format: Format,
        note: &mut Note,
    ) -> Result<Answer, Denial> {
        let filter = Filter::read(fields, group)?;
        let catalogue = self.gateway.catalogue();
        let shown = catalogue.codes(NAME).filter(|(_, product)| filter.shows(product));
        let entries = shown.filter_map(|(code, product)| {
            let terms = product.terms_for(&merchant.level, &self.protocol)?;
            Some(price_list_entry(code, product, terms))
        });
        Ok(said(Message::price_list(entries.collect()), format, note))
    }
}
