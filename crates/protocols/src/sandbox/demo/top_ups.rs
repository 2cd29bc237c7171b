//! What the demo catalogue sells at fixed prices: codes as the IAK reference prints them (section
//! 13), figures and codes of the isikuota reference's samples (sections 2.6 and 5.2), and enough
//! others to try every kind.

use domain::{Amount, Level, Price, Product, ProductId, ProductStatus, ProtocolName, TopUp};

use super::{IAK, ISIKUOTA, LEVEL, alias};

/// What kind of thing is handed over; its proof looks accordingly (IAK reference, section 13.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox) enum Goods {
    /// Credit or data on a telephone.
    Credit,
    /// Credit on a prepaid electricity meter.
    Token,
    /// Something in a game.
    Game,
    /// A code to be redeemed.
    Voucher,
    /// Money in a wallet.
    Wallet,
}

impl Goods {
    const fn group(self) -> &'static str {
        match self {
            Self::Credit => "pulsa",
            Self::Token => "pln",
            Self::Game => "game",
            Self::Voucher => "voucher",
            Self::Wallet => "etoll",
        }
    }
}

struct Row {
    id: &'static str,
    name: &'static str,
    goods: Goods,
    /// The group on price lists, where it is not that of the goods.
    group: Option<&'static str>,
    operator: &'static str,
    denomination: &'static str,
    active_days: u16,
    /// What the sandbox takes, in rupiah.
    cost: u32,
    /// Code and price in rupiah, per protocol.
    iak: Option<(&'static str, u32)>,
    isikuota: Option<(&'static str, u32)>,
}

type Sold = Option<(&'static str, u32)>;

const fn row(
    id: &'static str,
    name: &'static str,
    goods: Goods,
    operator: &'static str,
    denomination: &'static str,
    cost: u32,
    sold: [Sold; 2],
) -> Row {
    let [iak, isikuota] = sold;
    let active_days = if matches!(goods, Goods::Credit) { 30 } else { 0 };
    Row { id, name, goods, group: None, operator, denomination, active_days, cost, iak, isikuota }
}

const fn data(row: Row) -> Row {
    Row { group: Some("data"), ..row }
}

use Goods::{Credit, Game, Token, Voucher, Wallet};

const TOP_UPS: [Row; 27] = [
    row(
        "telkomsel-5000",
        "Telkomsel 5.000",
        Credit,
        "telkomsel",
        "5000",
        5_550,
        [Some(("htelkomsel5000", 5_700)), Some(("TSEL5", 5_725))],
    ),
    row(
        "telkomsel-10000",
        "Telkomsel 10.000",
        Credit,
        "telkomsel",
        "10000",
        10_350,
        [Some(("htelkomsel10000", 10_500)), Some(("TSEL10", 10_525))],
    ),
    row(
        "telkomsel-21000",
        "Telkomsel 21.000",
        Credit,
        "telkomsel",
        "21000",
        21_250,
        [None, Some(("TSEL21", 21_425))],
    ),
    row(
        "telkomsel-25000",
        "Telkomsel 25.000",
        Credit,
        "telkomsel",
        "25000",
        24_900,
        [Some(("htelkomsel25000", 25_100)), Some(("TSEL25", 25_125))],
    ),
    row(
        "telkomsel-100000",
        "Telkomsel 100.000",
        Credit,
        "telkomsel",
        "100000",
        97_000,
        [Some(("htelkomsel100000", 97_400)), Some(("TSEL100", 97_500))],
    ),
    row(
        "indosat-10000",
        "Indosat 10.000",
        Credit,
        "indosat",
        "10000",
        11_000,
        [Some(("hindosat10000", 11_150)), Some(("ISAT10", 11_200))],
    ),
    row(
        "indosat-25000",
        "Indosat 25.000",
        Credit,
        "indosat",
        "25000",
        24_800,
        [Some(("hindosat25000", 25_000)), Some(("ISAT25", 25_050))],
    ),
    row(
        "indosat-100000",
        "Indosat 100.000",
        Credit,
        "indosat",
        "100000",
        96_800,
        [Some(("hindosat100000", 97_200)), None],
    ),
    row(
        "xl-10000",
        "XL 10.000",
        Credit,
        "xl",
        "10000",
        10_700,
        [Some(("xld10000", 10_850)), Some(("XL10", 10_900))],
    ),
    row(
        "xl-25000",
        "XL 25.000",
        Credit,
        "xl",
        "25000",
        24_900,
        [Some(("xld25000", 25_100)), Some(("XL25", 25_150))],
    ),
    row(
        "axis-10000",
        "AXIS 10.000",
        Credit,
        "axis",
        "10000",
        10_700,
        [Some(("haxis10000", 10_850)), Some(("AX10", 10_900))],
    ),
    row(
        "smartfren-10000",
        "Smartfren 10.000",
        Credit,
        "smart",
        "10000",
        9_900,
        [Some(("hsmart10000", 10_050)), Some(("SM10", 10_100))],
    ),
    row(
        "three-10000",
        "Three 10.000",
        Credit,
        "three",
        "10000",
        10_100,
        [Some(("hthree10000", 10_250)), Some(("TRI10", 10_300))],
    ),
    row(
        "by-u-10000",
        "by.U 10.000",
        Credit,
        "by.U",
        "10000",
        10_300,
        [Some(("hbyu10000", 10_450)), Some(("BYU10", 10_500))],
    ),
    data(row(
        "telkomsel-data-1",
        "Telkomsel Data 1 GB",
        Credit,
        "telkomsel_paket_internet",
        "1 GB",
        14_500,
        [Some(("tseldata1", 14_800)), Some(("TDATA1", 14_900))],
    )),
    data(row(
        "xl-data-5",
        "XL Data 5 GB",
        Credit,
        "xl_paket_internet",
        "5 GB",
        41_000,
        [Some(("xldata5", 41_500)), Some(("XDATA5", 41_600))],
    )),
    row(
        "pln-token-20000",
        "Token PLN 20.000",
        Token,
        "pln",
        "20000",
        20_100,
        [Some(("hpln20000", 20_250)), Some(("PLN20", 20_300))],
    ),
    row(
        "pln-token-50000",
        "Token PLN 50.000",
        Token,
        "pln",
        "50000",
        50_100,
        [Some(("hpln50000", 50_250)), Some(("PLN50", 50_300))],
    ),
    row(
        "pln-token-100000",
        "Token PLN 100.000",
        Token,
        "pln",
        "100000",
        100_100,
        [Some(("hpln100000", 100_250)), Some(("PLN100", 100_300))],
    ),
    row(
        "mobile-legend-86",
        "Mobile Legends 86 Diamonds",
        Game,
        "mobile_legend",
        "86 Diamonds",
        19_000,
        [Some(("hmobilelegend86", 19_300)), Some(("ML86", 19_400))],
    ),
    row(
        "mobile-legend-110",
        "Mobile Legends 110 Diamonds",
        Game,
        "mobile_legend",
        "110 Diamonds",
        27_000,
        [Some(("hmobilelegend110", 27_400)), Some(("ML110", 27_500))],
    ),
    row(
        "free-fire-70",
        "Free Fire 70 Diamonds",
        Game,
        "free_fire",
        "70 Diamonds",
        9_200,
        [Some(("hfreefire70", 9_400)), Some(("FF70", 9_450))],
    ),
    row(
        "steam-12000",
        "Steam Wallet 12.000",
        Game,
        "steam_sea",
        "12000",
        13_900,
        [Some(("hsteam12000", 14_200)), Some(("STEAM12", 14_300))],
    ),
    row(
        "alfamart-100000",
        "Voucher Alfamart 100.000",
        Voucher,
        "alfamart",
        "100000",
        98_500,
        [Some(("alfamart100", 99_000)), Some(("ALFA100", 99_100))],
    ),
    row(
        "gopay-20000",
        "GoPay 20.000",
        Wallet,
        "gopay_e-money",
        "20000",
        20_600,
        [Some(("hgopay20000", 20_900)), Some(("GOPAY20", 20_950))],
    ),
    row(
        "ovo-20000",
        "OVO 20.000",
        Wallet,
        "ovo",
        "20000",
        20_700,
        [Some(("hovo20000", 21_000)), Some(("OVO20", 21_050))],
    ),
    row(
        "dana-20000",
        "DANA 20.000",
        Wallet,
        "dana",
        "20000",
        20_100,
        [Some(("hdana20000", 20_400)), Some(("DANA20", 20_450))],
    ),
];

/// What a top-up of the demo catalogue is, and what the sandbox takes for it; none for others.
pub(in crate::sandbox) fn goods(product: &str) -> Option<(Goods, Amount)> {
    let row = TOP_UPS.iter().find(|row| row.id == product)?;
    Some((row.goods, Amount::rupiah(row.cost)))
}

pub(super) fn products() -> impl Iterator<Item = Product> {
    TOP_UPS.iter().map(product)
}

fn product(row: &Row) -> Product {
    let sold: Vec<_> = [(IAK, row.iak), (ISIKUOTA, row.isikuota)]
        .into_iter()
        .filter_map(|(protocol, sold)| sold.map(|(code, price)| (protocol, code, price)))
        .collect();
    let price = |(protocol, _, amount): &(&str, &str, u32)| Price {
        level: Level(LEVEL.to_owned()),
        protocol: Some(ProtocolName::new(*protocol)),
        amount: Amount::rupiah(*amount),
    };
    Product {
        id: ProductId::new(row.id),
        name: row.name.to_owned(),
        group: row.group.unwrap_or(row.goods.group()).to_owned(),
        province: None,
        status: ProductStatus::Active,
        aliases: sold.iter().map(|(protocol, code, _)| alias(protocol, code)).collect(),
        terms: Vec::new(),
        cut_off: None,
        top_up: Some(TopUp {
            operator: row.operator.to_owned(),
            denomination: row.denomination.to_owned(),
            details: String::new(),
            active_days: row.active_days,
            cost: Some(Amount::rupiah(row.cost)),
            prices: sold.iter().map(price).collect(),
        }),
        channel: None,
    }
}
