//! Which kind of bill a product code stands for (IAK reference, sections 6.1 to 6.19).
//!
//! The kind decides which particulars a bill has and how many single bills a customer may owe.
//! Providers name new products by prefix, so a code that no list has still finds its kind.

/// A kind of bill: one per section of the reference, and one more where products of a section
/// differ in their particulars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum BillKind {
    /// Electricity, by the month.
    Electricity,
    /// Work done by the electricity company.
    ElectricityWork,
    /// Health insurance.
    Health,
    /// Penalty for late health insurance.
    HealthPenalty,
    /// Social insurance paid by the insured.
    EmploymentSelf,
    /// Social insurance paid by the employer.
    EmploymentCompany,
    /// Gas.
    Gas,
    /// An instalment of a loan.
    Finance,
    /// An instalment of a loan of which only instalment and penalty are told.
    FinanceBrief,
    /// An insurance premium.
    Insurance,
    /// An insurance premium that is told like an instalment of a loan.
    InsuranceAsFinance,
    /// Water.
    Water,
    /// Water, where tariff and due date are told as well.
    WaterWithTariff,
    /// Telkomvision.
    CableTelevision,
    /// Other television.
    Television,
    /// A mobile telephone.
    Mobile,
    /// A Telkom line.
    Telkom,
    /// Other internet.
    Internet,
    /// Vehicle tax.
    VehicleTax,
    /// Property tax.
    PropertyTax,
    /// A wallet: the payer chooses the amount.
    FreeAmount,
    /// A gift to a church: the payer chooses the amount.
    Church,
}

/// Codes that are one product.
const EXACT: [(&str, BillKind); 15] = [
    ("PLNPOSTPAID", BillKind::Electricity),
    ("PLNNONH", BillKind::ElectricityWork),
    ("PLNNONTAG", BillKind::ElectricityWork),
    ("BPJS", BillKind::Health),
    ("BPJSDENDA", BillKind::HealthPenalty),
    ("BPJSTK", BillKind::EmploymentSelf),
    ("BPJSTKPU", BillKind::EmploymentCompany),
    ("PGAS", BillKind::Gas),
    ("FNMF", BillKind::FinanceBrief),
    ("TASPEN.ASURANSI", BillKind::InsuranceAsFinance),
    ("PDAMKOTA.SURABAYA", BillKind::WaterWithTariff),
    ("AETRA", BillKind::Water),
    ("TVTLKMV", BillKind::CableTelevision),
    ("TELKOMPSTN", BillKind::Telkom),
    ("SHOPEEPAY", BillKind::FreeAmount),
];

/// Beginnings of the codes of many products.
const PREFIXES: [(&str, BillKind); 11] = [
    ("FN", BillKind::Finance),
    ("AIA.", BillKind::Insurance),
    ("PDAM", BillKind::Water),
    ("TV", BillKind::Television),
    ("HP", BillKind::Mobile),
    ("CBN", BillKind::Internet),
    ("ESAMSAT.", BillKind::VehicleTax),
    ("PBB", BillKind::PropertyTax),
    ("MEMBER.", BillKind::Church),
    ("NONMEMBER.", BillKind::Church),
    ("ASURANSI.", BillKind::Insurance),
];

impl BillKind {
    /// The kind of this product code; `None` for a code that the sandbox cannot supply.
    pub(super) fn of(code: &str) -> Option<Self> {
        let exact = EXACT.iter().find(|(known, _)| *known == code);
        let by_prefix = || PREFIXES.iter().find(|(prefix, _)| code.starts_with(prefix));
        exact.or_else(by_prefix).map(|(_, kind)| *kind)
    }

    /// How many single bills are open where a number asks for several; 1 for kinds that never have
    /// more than one (IAK reference, section 12.2).
    pub(super) const fn several(self) -> u32 {
        match self {
            Self::Electricity => 8,
            Self::Water | Self::WaterWithTariff => 4,
            Self::Telkom => 3,
            Self::ElectricityWork
            | Self::Health
            | Self::HealthPenalty
            | Self::EmploymentSelf
            | Self::EmploymentCompany
            | Self::Gas
            | Self::Finance
            | Self::FinanceBrief
            | Self::Insurance
            | Self::InsuranceAsFinance
            | Self::CableTelevision
            | Self::Television
            | Self::Mobile
            | Self::Internet
            | Self::VehicleTax
            | Self::PropertyTax
            | Self::FreeAmount
            | Self::Church => 1,
        }
    }

    /// How many of the open bills are paid at once: the oldest. Electricity pays at most four
    /// (IAK reference, section 6.1).
    pub(super) fn paid_at_once(self, open: u32) -> u32 {
        match self {
            Self::Electricity => open.min(4),
            _ => open,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_find_their_kind() {
        let table = [
            ("PLNNONH", Some(BillKind::ElectricityWork)),
            ("FNMEGA", Some(BillKind::Finance)),
            ("FNMF", Some(BillKind::FinanceBrief)),
            ("PDAMKOTA.SURABAYA", Some(BillKind::WaterWithTariff)),
            ("PDAMKAB.BOGOR", Some(BillKind::Water)),
            ("TVTLKMV", Some(BillKind::CableTelevision)),
            ("TVBIG", Some(BillKind::Television)),
            ("HPTSEL", Some(BillKind::Mobile)),
            ("NONMEMBER.Anybody-Purpose_2030", Some(BillKind::Church)),
            ("plnpostpaid", None),
            ("", None),
            ("xpremium", None),
        ];
        for (code, kind) in table {
            assert_eq!(BillKind::of(code), kind, "{code}");
        }
    }
}
