//! Telephone operators, the numbers that they have, and which operator a product belongs to (IAK
//! reference, section 13.1).

use domain::Product;

use super::brands::path_value;

/// An operator.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Operator {
    /// As `check-operator` names it.
    pub(crate) name: &'static str,
    /// How the path values of its products begin, up to the end or a `_`.
    brands: &'static [&'static str],
    /// How the codes of its products begin.
    code_stems: &'static [&'static str],
    prefixes: &'static [&'static str],
}

/// Every operator. The first four digits tell one apart, except that by.U has its numbers out of a
/// series of Telkomsel's: the longest prefix that fits decides. 0811 is not on the vendor's list, and
/// has been Telkomsel's from the beginning.
const OPERATORS: [Operator; 7] = [
    Operator {
        name: "INDOSAT",
        brands: &["indosat"],
        code_stems: &["hindosat", "isatdata"],
        prefixes: &["0814", "0815", "0816", "0855", "0856", "0857", "0858"],
    },
    Operator {
        name: "XL",
        brands: &["xl"],
        code_stems: &["xld", "xldata"],
        prefixes: &["0817", "0818", "0819", "0859", "0877", "0878"],
    },
    Operator {
        name: "AXIS",
        brands: &["axis"],
        code_stems: &["haxis", "axisdata"],
        prefixes: &["0831", "0832", "0837", "0838"],
    },
    Operator {
        name: "TELKOMSEL",
        brands: &["telkomsel"],
        code_stems: &["htelkomsel", "tseldata"],
        prefixes: &["0811", "0812", "0813", "0821", "0822", "0823", "0851", "0852", "0853"],
    },
    Operator {
        name: "SMARTFREN",
        brands: &["smart", "smartfren"],
        code_stems: &["hsmart"],
        prefixes: &["0881", "0882", "0883", "0884", "0885", "0886", "0887", "0888"],
    },
    Operator {
        name: "THREE",
        brands: &["three", "tri"],
        code_stems: &["hthree", "threedata"],
        prefixes: &["0895", "0896", "0897", "0898", "0899"],
    },
    Operator {
        name: "by.U",
        brands: &["by.u"],
        code_stems: &["hbyu"],
        prefixes: &["085154", "085155", "085156", "085157", "085158"],
    },
];

/// Whose number this is; none for a prefix that nobody has.
pub(crate) fn of_number(number: &str) -> Option<&'static Operator> {
    let fitting = OPERATORS.iter().flat_map(|operator| {
        let prefixes = operator.prefixes.iter().filter(|prefix| number.starts_with(**prefix));
        prefixes.map(move |prefix| (prefix.len(), operator))
    });
    fitting.max_by_key(|(length, _)| *length).map(|(_, operator)| operator)
}

/// Whose credit or data a product is, sold under this code; none for anything else and for brands
/// without numbers of their own.
pub(crate) fn of_product(code: &str, product: &Product) -> Option<&'static Operator> {
    let top_up = product.top_up.as_ref()?;
    if !product.group.eq_ignore_ascii_case("pulsa") && !product.group.eq_ignore_ascii_case("data") {
        return None;
    }
    let (brand, code) = (path_value(&top_up.operator), code.to_ascii_lowercase());
    let named = |begin: &&str| {
        brand.strip_prefix(*begin).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    };
    let by_brand = OPERATORS.iter().find(|operator| operator.brands.iter().any(&named));
    by_brand.or_else(|| {
        let stems =
            |operator: &&Operator| operator.code_stems.iter().any(|it| code.starts_with(it));
        OPERATORS.iter().find(stems)
    })
}

/// The face value that an auto-detect code asks for, of whichever operator the number belongs to; none
/// for other codes (section 13.6).
pub(crate) fn detected_denomination(code: &str) -> Option<&str> {
    const DENOMINATIONS: [&str; 12] = [
        "5000", "10000", "20000", "25000", "30000", "50000", "100000", "150000", "200000",
        "300000", "500000", "1000000",
    ];
    code.strip_prefix("pulsa").filter(|denomination| DENOMINATIONS.contains(denomination))
}

#[cfg(test)]
mod tests {
    use domain::{ProductId, ProductStatus, TopUp};

    use super::*;

    #[test]
    fn the_longest_prefix_decides() {
        let table = [
            ("081400000000", Some("INDOSAT")),
            ("085800000000", Some("INDOSAT")),
            ("081712340000", Some("XL")),
            ("083200000000", Some("AXIS")),
            ("081100000000", Some("TELKOMSEL")),
            ("085100000000", Some("TELKOMSEL")),
            ("085153000000", Some("TELKOMSEL")),
            ("085159000000", Some("TELKOMSEL")),
            ("085154000000", Some("by.U")),
            ("085158000000", Some("by.U")),
            ("088100000000", Some("SMARTFREN")),
            ("089900000000", Some("THREE")),
            ("083300000000", None),
            ("080000000000", None),
            ("021000000000", None),
            ("", None),
        ];
        for (number, operator) in table {
            assert_eq!(of_number(number).map(|it| it.name), operator, "{number}");
        }
    }

    #[test]
    fn no_prefix_belongs_to_two() {
        let mut prefixes: Vec<_> = OPERATORS.iter().flat_map(|it| it.prefixes).collect();
        let count = prefixes.len();
        prefixes.sort();
        prefixes.dedup();
        assert_eq!(prefixes.len(), count);
    }

    #[test]
    fn the_brand_tells_the_operator_and_the_code_where_it_does_not() {
        let table = [
            ("pulsa", "xl", "x", Some("XL")),
            ("pulsa", "by.U", "x", Some("by.U")),
            ("data", "Telkomsel Paket Internet", "x", Some("TELKOMSEL")),
            ("data", "tri_paket_internet", "x", Some("THREE")),
            ("data", "smartfren_paket_internet", "x", Some("SMARTFREN")),
            ("PULSA", "smart", "x", Some("SMARTFREN")),
            ("pulsa", "xixi_games", "x", None),
            ("pulsa", "", "hindosat10000", Some("INDOSAT")),
            ("data", "other", "XLDATA5", Some("XL")),
            ("philippines", "smart", "hsmart10000", None),
            ("game", "xl", "xld10000", None),
        ];
        for (group, brand, code, operator) in table {
            let product = Product {
                id: ProductId::new("product"),
                name: String::new(),
                group: group.to_owned(),
                province: None,
                status: ProductStatus::Active,
                aliases: Vec::new(),
                terms: Vec::new(),
                cut_off: None,
                channel: None,
                top_up: Some(TopUp {
                    operator: brand.to_owned(),
                    denomination: String::new(),
                    details: String::new(),
                    active_days: 0,
                    cost: None,
                    prices: Vec::new(),
                }),
            };
            assert_eq!(of_product(code, &product).map(|it| it.name), operator, "{brand} {code}");
        }
    }

    #[test]
    fn only_the_listed_codes_detect_the_operator() {
        let table = [
            ("pulsa5000", Some("5000")),
            ("pulsa1000000", Some("1000000")),
            ("pulsa5001", None),
            ("pulsa", None),
            ("PULSA5000", None),
            ("xpulsa5000", None),
        ];
        for (code, denomination) in table {
            assert_eq!(detected_denomination(code), denomination, "{code}");
        }
    }
}
