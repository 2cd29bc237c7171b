//! The types of price lists, their brands, and how paths spell them (IAK reference, section 13.2).
//!
//! A path spells a brand as its name in lower case with `_` for blanks; products may carry either
//! spelling, and both mean the same.

use domain::Product;

/// The category of what is sold for use abroad. Its products have the country as their type.
const INTERNATIONAL: &str = "international";

/// The countries of international products.
const COUNTRIES: [&str; 8] = [
    "bangladesh",
    "china",
    "malaysia",
    "philippines",
    "singapore",
    "taiwan",
    "thailand",
    "vietnam",
];

/// The brands by name, under their types; international ones under their countries.
const BRANDS: [(&str, &[&str]); 14] = [
    ("pulsa", &["AXIS", "Indosat", "Smart", "Telkomsel", "Three", "Xixi Games", "XL", "by.U"]),
    (
        "data",
        &[
            "AXIS Paket Internet",
            "Telkomsel",
            "Indosat Paket Internet",
            "Smartfren Paket Internet",
            "Tri Paket Internet",
            "Telkomsel Paket Internet",
            "XL Paket Internet",
        ],
    ),
    (
        "etoll",
        &[
            "DANA",
            "Mandiri e-Toll",
            "Indomaret Card e-Money",
            "GoPay e-Money",
            "LinkAja",
            "OVO",
            "Shopee Pay",
            "TIX ID",
        ],
    ),
    ("voucher", &["Alfamart", "Carrefour", "Indomaret", "MAP", "Tokopedia", "Traveloka", "Udemy"]),
    (
        "game",
        &[
            "Arena of Valor",
            "Battlenet SEA",
            "Bleach Mobile 3D",
            "Call of Duty Mobile",
            "Dragon Nest M - SEA",
            "Era of Celestials",
            "Free Fire",
            "Garena",
            "Gemscool",
            "Genshin Impact",
            "Google Play US Region",
            "Google Play Indonesia",
            "iTunes US Region",
            "Lyto",
            "JOOX",
            "Megaxus",
            "Mobile Legend",
            "Razer PIN",
            "PlayStation",
            "Steam SEA",
            "Wave Game",
            "League of Legends Wild Rift",
            "LifeAfter",
            "Light of Thel: Glory of Cepheus",
            "Lords Mobile",
            "Marvel Super War",
            "Minecraft",
            "Netflix",
            "Nintendo eShop",
            "Point Blank",
            "PUBG Mobile",
            "PUBG PC",
            "Ragnarok M",
            "Skyegrid",
            "Speed Drifters",
            "Vidio",
            "Viu",
            "Wifi ID",
        ],
    ),
    ("pln", &["PLN"]),
    ("bangladesh", &["Bangladesh Topup"]),
    ("china", &["China Topup"]),
    ("malaysia", &["Malaysia Topup", "Celcom", "Digi", "Maxis", "Tunetalk", "UMobile", "XOX"]),
    ("philippines", &["Globe", "Smart", "Sun Telecom"]),
    ("singapore", &["M1", "Singtel", "StarHub"]),
    ("taiwan", &["Chunghwa", "IF Taiwan Topup", "OK Taiwan Topup"]),
    ("thailand", &["Thailand Topup"]),
    ("vietnam", &["Vietnam Topup"]),
];

/// A brand as paths spell it.
pub(crate) fn path_value(brand: &str) -> String {
    brand.trim().to_lowercase().replace(' ', "_")
}

/// The name of a product's brand, as `product_description` shows it. A brand that is on no list is
/// shown as it stands.
pub(crate) fn description<'a>(group: &str, brand: &'a str) -> &'a str {
    let wanted = path_value(brand);
    let of_group = BRANDS.iter().filter(|(known, _)| known.eq_ignore_ascii_case(group));
    let named = of_group.flat_map(|(_, names)| *names).find(|name| path_value(name) == wanted);
    named.copied().unwrap_or(brand)
}

/// The category of a product of this group: the group itself, except for what is used abroad.
pub(crate) fn category(group: &str) -> &str {
    let abroad = COUNTRIES.iter().any(|country| country.eq_ignore_ascii_case(group));
    if abroad { INTERNATIONAL } else { group }
}

/// Whether a product is on the price list of this type and this brand, spelt as paths spell them;
/// without a type or brand every product is.
pub(crate) fn lists(kind: Option<&str>, brand: Option<&str>, product: &Product) -> bool {
    let group = product.group.as_str();
    let of_kind = kind.is_none_or(|kind| {
        kind.eq_ignore_ascii_case(group) || kind.eq_ignore_ascii_case(category(group))
    });
    let of_brand = brand.is_none_or(|brand| {
        let operator = product.top_up.as_ref().map(|top_up| path_value(&top_up.operator));
        operator.is_some_and(|operator| operator == path_value(brand))
    });
    of_kind && of_brand
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_spell_brands_as_the_reference_does() {
        let spelt = |group: &str| -> Vec<_> {
            let (_, names) = BRANDS.iter().find(|(known, _)| *known == group).expect("a type");
            names.iter().map(|name| path_value(name)).collect()
        };
        assert_eq!(
            spelt("etoll").join(" "),
            "dana mandiri_e-toll indomaret_card_e-money gopay_e-money linkaja ovo shopee_pay tix_id"
        );
        let games = spelt("game");
        for game in [
            "dragon_nest_m_-_sea",
            "light_of_thel:_glory_of_cepheus",
            "google_play_us_region",
            "nintendo_eshop",
            "wifi_id",
        ] {
            assert!(games.iter().any(|known| known == game), "{game}");
        }
        let all = BRANDS.iter().map(|(_, names)| names.len()).sum::<usize>();
        assert_eq!(all, 89);
    }

    #[test]
    fn a_known_brand_has_its_name_and_another_stays_as_it_is() {
        let table = [
            ("pulsa", "xl", "XL"),
            ("pulsa", "smart", "Smart"),
            ("etoll", "gopay_e-money", "GoPay e-Money"),
            ("philippines", "sun_telecom", "Sun Telecom"),
            ("game", "Mobile Legend", "Mobile Legend"),
            ("game", "some_new_game", "some_new_game"),
            ("pln", "", ""),
        ];
        for (group, brand, name) in table {
            assert_eq!(description(group, brand), name, "{group} {brand}");
        }
    }

    #[test]
    fn countries_are_international() {
        assert_eq!(category("malaysia"), "international");
        assert_eq!(category("pulsa"), "pulsa");
        for (group, _) in BRANDS.iter().skip(6) {
            assert_eq!(category(group), "international", "{group}");
        }
    }
}
