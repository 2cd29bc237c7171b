//! `desc`: the particulars of a bill, which look different for every product (IAK reference,
//! section 6).
//!
//! A product's layout follows from its code where the reference names the code, otherwise from its
//! group on the price list. A layout always shows the same names in the same order with the same
//! types; a particular that the supplier did not give is shown as the empty value that the
//! reference has for it. Names that no layout shows stay untold.

mod insurance;
mod particulars;
mod supply;
mod taxes;
mod telephone;
mod unified;

use domain::bill::names;

use super::node::{Entries, Node};
use super::period::{self, Style};
use super::transaction::Transaction;
use particulars::Particulars;

/// The group of water companies.
pub(crate) const WATER: &str = "pdam";

/// Which of a product's two faces is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Before payment.
    Inquiry,
    /// After it.
    Payment,
}

/// How a product shows its particulars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Section 6.1.
    Electricity,
    /// Section 6.2.
    ElectricityWork,
    /// Section 6.3.
    HealthInsurance,
    /// Section 6.4.
    HealthInsurancePenalty,
    /// Section 6.5.
    SelfPaidEmployment,
    /// Section 6.6.
    CompanyEmployment,
    /// Section 6.7.
    Gas,
    /// Section 6.8.
    Finance,
    /// Section 6.8, `FNMF`.
    BriefFinance,
    /// Section 6.9.
    Insurance,
    /// Section 6.10.
    Water,
    /// Section 6.11.
    Telkomvision,
    /// Section 6.12.
    Television,
    /// Section 6.13.
    Mobile,
    /// Section 6.14.
    Telkom,
    /// Section 6.15.
    Internet,
    /// Section 6.16.
    VehicleTax,
    /// Section 6.17.
    PropertyTax,
    /// Section 6.18.
    FreeAmount,
    /// Section 6.19.
    Church,
}

impl Layout {
    /// The layout of a product under this code in this group; none if it has no particulars. The
    /// group is asked for only where the code does not tell.
    pub(crate) fn of<'a>(code: &str, group: impl FnOnce() -> &'a str) -> Option<Self> {
        Self::of_code(code).or_else(|| Self::of_group(group()))
    }

    fn of_code(code: &str) -> Option<Self> {
        let layout = match code {
            "PLNPOSTPAID" => Self::Electricity,
            "PLNNONH" | "PLNNONTAG" => Self::ElectricityWork,
            "BPJS" => Self::HealthInsurance,
            "BPJSDENDA" => Self::HealthInsurancePenalty,
            "BPJSTK" => Self::SelfPaidEmployment,
            "BPJSTKPU" => Self::CompanyEmployment,
            "PGAS" => Self::Gas,
            "FNMF" => Self::BriefFinance,
            "TASPEN.ASURANSI" => Self::Finance,
            "TVTLKMV" => Self::Telkomvision,
            "TELKOMPSTN" => Self::Telkom,
            "SHOPEEPAY" => Self::FreeAmount,
            _ if code.starts_with("MEMBER.") || code.starts_with("NONMEMBER.") => Self::Church,
            _ if code.starts_with("ESAMSAT.") => Self::VehicleTax,
            _ => return None,
        };
        Some(layout)
    }

    fn of_group(group: &str) -> Option<Self> {
        let layout = match group {
            "pln" => Self::Electricity,
            "bpjs" => Self::HealthInsurance,
            "gas" => Self::Gas,
            "finance" => Self::Finance,
            "asuransi" => Self::Insurance,
            WATER => Self::Water,
            "tv" => Self::Television,
            "hp" => Self::Mobile,
            "internet" => Self::Internet,
            "pajak-kendaraan" => Self::VehicleTax,
            "pbb" => Self::PropertyTax,
            "emoney" => Self::FreeAmount,
            _ => return None,
        };
        Some(layout)
    }

    /// How the span of a bill is written (section 6.0).
    const fn style(self) -> Style {
        match self {
            Self::ElectricityWork
            | Self::Insurance
            | Self::Television
            | Self::Mobile
            | Self::FreeAmount => Style::Nothing,
            Self::HealthInsurance => Style::PaddedCount,
            Self::SelfPaidEmployment => Style::Count,
            Self::Gas => Style::MonthYear,
            Self::Telkomvision => Style::ShortName,
            Self::Telkom => Style::FirstAndLast,
            Self::Electricity
            | Self::HealthInsurancePenalty
            | Self::CompanyEmployment
            | Self::Finance
            | Self::BriefFinance
            | Self::Water
            | Self::Internet
            | Self::VehicleTax
            | Self::PropertyTax
            | Self::Church => Style::YearMonth,
        }
    }
}

/// The `period` of a transaction.
pub(crate) fn period<'a>(transaction: &Transaction<'a>) -> String {
    let layout = Layout::of(&transaction.order.code, || transaction.group);
    period::period(layout.map_or(Style::YearMonth, Layout::style), &transaction.bill.period)
}

/// The `desc` of a transaction; none for a product that has no particulars.
pub(crate) fn desc<'a>(transaction: &Transaction<'a>, stage: Stage) -> Option<Node<'a>> {
    let layout = Layout::of(&transaction.order.code, || transaction.group)?;
    let given = Particulars::of(transaction);
    let entries = match layout {
        Layout::Electricity => supply::electricity(transaction, given, stage),
        Layout::ElectricityWork => supply::electricity_work(transaction, given),
        Layout::HealthInsurance => insurance::health(given),
        Layout::HealthInsurancePenalty => insurance::health_penalty(given, stage),
        Layout::SelfPaidEmployment => insurance::self_paid_employment(given, stage),
        Layout::CompanyEmployment => insurance::company_employment(transaction, given),
        Layout::Gas => supply::gas(given),
        Layout::Finance => insurance::finance(given),
        Layout::BriefFinance => insurance::brief_finance(given),
        Layout::Insurance => insurance::policy(given),
        Layout::Water => supply::water(transaction, given),
        Layout::Telkomvision => telephone::telkomvision(transaction, given),
        Layout::Television => telephone::television(transaction),
        Layout::Mobile => telephone::mobile(transaction, given),
        Layout::Telkom => telephone::telkom(transaction, given),
        Layout::Internet => vec![("product_desc", given.text(names::PRODUCT_DESCRIPTION))],
        Layout::VehicleTax => taxes::vehicle(given, stage),
        Layout::PropertyTax => taxes::property(transaction, given),
        Layout::FreeAmount => vec![("footer", given.text(names::FOOTER))],
        Layout::Church => return Some(Node::List(Vec::new())),
    };
    Some(Node::Record(entries))
}

#[cfg(test)]
#[path = "desc_tests.rs"]
mod tests;
