//! Channels in production, by the commands of the page for operators: from none to a deposit that a
//! feed's word pays, in both protocols that take money in, and a payout of what came in.

use serde_json::Value;

use crate::harness::is_missing;
use crate::pages::{Operator, assert_says, commands};

const PAGE: &str = "channels.md";

/// Has a feed post its mutations by the commands of the page on evidence.
fn tell(operator: &mut Operator, feed: &str, mutations: &str) -> Value {
    let script = commands("evidence.md", "Kirim · send").concat();
    let script = script.replace("bank_bca", feed).replace("mutations.json", mutations);
    let answer = operator.types(&script);
    serde_json::from_str(answer.trim()).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

#[test]
fn the_page_on_channels_leads_to_money_in_and_out() {
    if ["openssl", "curl"].into_iter().any(is_missing) {
        return;
    }
    let mut operator = Operator::new();
    operator.types(&commands("install.md", "By hand")[0]);
    let checked = operator.follows(PAGE, "Sumber bukti · who sees the money");
    assert_says(&checked, &["the configuration is good"]);
    operator.serves();

    let blocks = commands(PAGE, "Buka kanal · open channels");
    let [open, change] = blocks.as_slice() else { panic!("{blocks:?}") };
    let opened = operator.types(open);
    assert_says(&opened, &["added: credit-telkomsel", "rate: 0.82", "fee 1% + 5.00, "]);
    assert_says(&opened, &["channel: in, THB, ", "account: 0011223344 Toko Contoh"]);
    assert_says(&operator.follows(PAGE, "Beri kunci · let merchants in"), &["2 Toko Baht"]);

    let blocks = commands(PAGE, "Terima uang · take money in");
    let [ilenpay, s88pay, seen, out] = blocks.as_slice() else { panic!("{blocks:?}") };
    let asked = operator.types(ilenpay);
    assert_says(&asked, &[r#""total_tf":"13000""#, r#""status":"UNPAID""#, "ke 081200000001"]);
    let asked = operator.types(s88pay);
    assert_says(&asked, &[r#""amount":"250.00""#, r#""wallet_number":"0011223344""#]);
    operator.types(seen);
    let merchants = "lunas merchant show 1; lunas merchant show 2";
    assert_says(&operator.types(merchants), &["balance: 0\n", "balance: 0.00\n"]);
    for (feed, mutations) in [("sim_telkomsel", "sim.json"), ("bank_thb", "thb.json")] {
        let told = tell(&mut operator, feed, mutations);
        assert_eq!(told["rows"][0]["state"], "used", "{told}");
    }
    assert_says(&operator.types(merchants), &["balance: 10000\n", "balance: 247.50\n"]);
    // 250.00 less one in a hundred, less the payout with its one in a hundred and 5.00.
    let paid = operator.types(out);
    assert_says(&paid, &["request withdraw successful", "balance: 141.50\n", "books are clean"]);
    assert_eq!(paid.matches(r#""status":"completed""#).count(), 2, "{paid}");

    let before = operator.types("lunas product list --json");
    let changed = operator.types(change);
    assert_says(&changed, &["rate: 0.80", "loaded: 3"]);
    let after = operator.types("lunas product list --json");
    assert_eq!(after, before.replace("\"0.82\"", "\"0.80\"").replace("\"1000000\"", "null"));
    let refused = [
        ("product channel credit-telkomsel --rate none", "ilenpay needs a rate"),
        ("product channel transfer-thb --currency INR", "INR is paid to an address"),
        ("product channel transfer-thb --account THB=1", ""),
        ("product channel transfer-thb --account TBH=1", "TBH is no currency"),
        ("product channel transfer-thb --fee-percent 101", "PercentText"),
        ("product channel transfer-thb", "nothing is to be changed"),
        ("product price transfer-thb --admin-fee 1 --commission 0", "a channel has no terms"),
        (
            "product add transfer-thb --name x --group x --code x --admin-fee 1 --commission 0",
            "there already",
        ),
    ];
    for (command, why) in refused {
        let told = operator.types(&format!("lunas {command} && echo done || echo refused"));
        assert_says(&told, &[why, if why.is_empty() { "done" } else { "refused" }]);
    }
    let preferred = operator.follows(PAGE, "Pilihan merchant · what merchants may have otherwise");
    assert_says(&preferred, &["always_200: yes\n", "callback_form: kv\n"]);
    for (wish, why) in [
        ("always_200=maybe", "always_200 is yes"),
        ("always200=yes", "is no preference of s88pay"),
        ("success_url=shop", "is an address"),
    ] {
        let prefer = format!("lunas merchant prefer 2 --protocol s88pay {wish} || echo refused");
        assert_says(&operator.types(&prefer), &["PREFERENCE_INVALID", why, "refused"]);
    }
    operator.types("printf 'product,name\\ntransfer-thb,Other\\n' > table.csv");
    let told = operator.types("lunas product import table.csv || echo refused");
    assert_says(&told, &["a channel; use channel or load", "refused"]);
    operator.stops();
}
