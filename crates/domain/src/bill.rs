//! What a supplier says of a bill, in words that belong to no protocol.
//!
//! Particulars are a neutral tree of named details. Each protocol knows which of them it shows and
//! under which names; a name that a protocol doesn't know is carried along and not shown. The names
//! in use stand in [`names`].

use crate::money::Amount;

/// A month of a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct YearMonth {
    /// Calendar year.
    pub year: u16,
    /// Month, from 1 to 12.
    pub month: u8,
}

/// What span a bill covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Period {
    /// No span is given.
    None,
    /// These calendar months, oldest first.
    Months(Vec<YearMonth>),
    /// So many months from now, as for health insurance.
    MonthCount(u8),
    /// This instalment of a loan.
    Instalment(u16),
    /// A text that only the supplier understands.
    Text(String),
}

/// One particular of a bill, or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Detail {
    /// Text.
    Text(String),
    /// A number that is not money: a meter reading, a count.
    Number(i64),
    /// Money.
    Money(Amount),
    /// Several of a kind.
    List(Vec<Detail>),
    /// Named particulars, in the supplier's order.
    Record(Vec<(String, Detail)>),
}

impl Detail {
    /// An empty record.
    pub const fn none() -> Self {
        Self::Record(Vec::new())
    }

    /// The particular of this name in a record.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Record(entries) => {
                entries.iter().find(|(key, _)| key == name).map(|(_, detail)| detail)
            }
            Self::Text(_) | Self::Number(_) | Self::Money(_) | Self::List(_) => None,
        }
    }

    /// The entries of a list; none for anything else.
    pub fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            Self::Text(_) | Self::Number(_) | Self::Money(_) | Self::Record(_) => &[],
        }
    }
}

/// A bill as the supplier knows it, before anybody's fee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// The customer's name; suppliers may mask it.
    pub customer_name: String,
    /// What it covers.
    pub period: Period,
    /// What is owed to the biller, penalties included, fees not.
    pub nominal: Amount,
    /// How many single bills this is: fees and commissions count per bill. At least 1.
    pub count: u32,
    /// Everything else.
    pub details: Detail,
}

/// Names of details in use. A supplier's adapter fills them in; a protocol shows those it knows.
/// Where nothing else is said a detail is a text.
pub mod names {
    // Parts of a list.

    /// List: one record per single bill.
    pub const BILLS: &str = "bills";
    /// In a bill: the month it is for, as `YYYYMM`.
    pub const PERIOD: &str = "period";
    /// In a bill, money: what is owed without penalty.
    pub const AMOUNT: &str = "amount";
    /// Money: the penalty for paying late; in a bill, or of the whole.
    pub const PENALTY: &str = "penalty";
    /// Money: what is owed besides amount and penalty; in a bill, or of the whole.
    pub const MISCELLANEOUS: &str = "miscellaneous";
    /// Number: meter reading at the start; in a bill, or of the whole.
    pub const METER_START: &str = "meter_start";
    /// Number: meter reading at the end; in a bill, or of the whole.
    pub const METER_END: &str = "meter_end";
    /// In a bill: the biller's own number for it.
    pub const BILL_NUMBER: &str = "bill_number";
    /// Number: bills still open after this payment.
    pub const REMAINING_BILLS: &str = "remaining_bills";
    // Supply.

    /// The tariff group.
    pub const TARIFF: &str = "tariff";
    /// Number: connected power in volt-ampere.
    pub const POWER: &str = "power";
    /// Number: units consumed.
    pub const USAGE: &str = "usage";
    /// The customer's address.
    pub const ADDRESS: &str = "address";
    /// The biller's own name.
    pub const BILLER_NAME: &str = "biller_name";
    /// The last day to pay, as the biller writes it.
    pub const DUE_DATE: &str = "due_date";
    /// A registration number.
    pub const REGISTRATION_NUMBER: &str = "registration_number";
    /// The day of that registration, as `YYYYMMDD`.
    pub const REGISTRATION_DATE: &str = "registration_date";
    /// What is financed or done.
    pub const ITEM_NAME: &str = "item_name";
    /// What is subscribed to.
    pub const PRODUCT_DESCRIPTION: &str = "product_description";
    /// A telephone area.
    pub const AREA_CODE: &str = "area_code";
    /// A telephone company's division.
    pub const REGIONAL_DIVISION: &str = "regional_division";
    /// A telephone company's office.
    pub const LOCAL_OFFICE: &str = "local_office";
    // Social insurance.

    /// The branch that keeps the account.
    pub const BRANCH_CODE: &str = "branch_code";
    /// The name of that branch.
    pub const BRANCH_NAME: &str = "branch_name";
    /// Money: what an earlier payment left over.
    pub const RESIDUAL: &str = "residual";
    /// Number: persons covered.
    pub const PARTICIPANTS: &str = "participants";
    /// The employer.
    pub const COMPANY_NAME: &str = "company_name";
    /// The employer's registration.
    pub const COMPANY_NUMBER: &str = "company_number";
    /// The employer's division.
    pub const DIVISION_CODE: &str = "division_code";
    /// Money: the premium paid.
    pub const PREMIUM: &str = "premium";
    /// The code of a contribution.
    pub const CONTRIBUTION_CODE: &str = "contribution_code";
    /// The insured programmes, separated by commas.
    pub const PROGRAMMES: &str = "programmes";
    /// Money: the part for old age.
    pub const OLD_AGE: &str = "old_age";
    /// Money: the part for accidents at work.
    pub const ACCIDENT: &str = "accident";
    /// Money: the part for death.
    pub const DEATH: &str = "death";
    /// Money: the part for health.
    pub const HEALTH: &str = "health";
    /// Money: the part for the pension.
    pub const PENSION: &str = "pension";
    /// First day covered, as the insurer writes it.
    pub const EFFECTIVE_FROM: &str = "effective_from";
    /// Last day covered, as the insurer writes it.
    pub const EFFECTIVE_UNTIL: &str = "effective_until";
    // Finance and insurance.

    /// A vehicle's chassis.
    pub const CHASSIS_NUMBER: &str = "chassis_number";
    /// A vehicle's plate.
    pub const PLATE_NUMBER: &str = "plate_number";
    /// How many instalments there are in all, as the lender writes it.
    pub const TENOR: &str = "tenor";
    /// Money: one instalment.
    pub const INSTALMENT: &str = "instalment";
    /// Money: the most that can be paid.
    pub const PAYMENT_MAX: &str = "payment_max";
    /// When the last paid instalment was due, as the lender writes it.
    pub const LAST_PAID_DUE_DATE: &str = "last_paid_due_date";
    /// The lender's own number.
    pub const LENDER_REFERENCE: &str = "lender_reference";
    /// Who or what is insured.
    pub const INSURED: &str = "insured";
    /// Where the policy stands.
    pub const POLICY_STATUS: &str = "policy_status";
    /// List of texts: lines for the foot of a receipt.
    pub const FOOTER: &str = "footer";
    // Taxes.

    /// The owner's identity number.
    pub const IDENTITY_NUMBER: &str = "identity_number";
    /// A vehicle's engine.
    pub const ENGINE_NUMBER: &str = "engine_number";
    /// Which of the owner's vehicles it is.
    pub const OWNERSHIP: &str = "ownership";
    /// A vehicle's make.
    pub const BRAND: &str = "brand";
    /// A vehicle's model.
    pub const MODEL: &str = "model";
    /// When a vehicle was built.
    pub const YEAR_BUILT: &str = "year_built";
    /// The day until which the tax is then paid, as `YYYYMMDD`.
    pub const TAX_UNTIL: &str = "tax_until";
    /// Record of money: what is owed of each tax below.
    pub const PRINCIPAL: &str = "principal";
    /// Record of money: the penalties on each tax below.
    pub const PENALTIES: &str = "penalties";
    /// In those records: the duty on a change of owner.
    pub const TRANSFER_TAX: &str = "transfer_tax";
    /// In those records: the tax on the vehicle.
    pub const VEHICLE_TAX: &str = "vehicle_tax";
    /// In those records: the contribution to the accident fund.
    pub const ACCIDENT_FUND: &str = "accident_fund";
    /// Money: the fee for the registration paper.
    pub const REGISTRATION_FEE: &str = "registration_fee";
    /// Money: the fee for the plate.
    pub const PLATE_FEE: &str = "plate_fee";
    /// Money: the parking duty.
    pub const PARKING_FEE: &str = "parking_fee";
    /// Money: the surcharge on further vehicles.
    pub const PROGRESSIVE_TAX: &str = "progressive_tax";
    /// The treasury's number of the receipt; empty before payment.
    pub const TAX_RECEIPT_NUMBER: &str = "tax_receipt_number";
    /// When the tax office stated it, as `YYYY-MM-DD HH:MM:SS`.
    pub const STATED_AT: &str = "stated_at";
    /// A property's number.
    pub const OBJECT_NUMBER: &str = "object_number";
    /// The year that is taxed.
    pub const TAX_YEAR: &str = "tax_year";
    /// Where a property lies.
    pub const LOCATION: &str = "location";
    /// In which village.
    pub const VILLAGE: &str = "village";
    /// In which district.
    pub const DISTRICT: &str = "district";
    /// The code of its city.
    pub const CITY_CODE: &str = "city_code";
    /// In which city or regency.
    pub const CITY: &str = "city";
    /// The area of land, as the tax office writes it.
    pub const LAND_AREA: &str = "land_area";
    /// The area built upon, as the tax office writes it.
    pub const BUILDING_AREA: &str = "building_area";
    // What top-ups deliver besides a serial number.

    /// The secret that goes with a voucher.
    pub const PIN: &str = "pin";
    /// What activates an eSIM.
    pub const ACTIVATION_CODE: &str = "activation_code";
}
