//! Which paths are this API's.

use super::*;

#[test]
fn every_path_of_the_reference_leads_somewhere() {
    let of = |call| Some(Route::Of("OPR001", call));
    let table = [
        ("/OPR001/v2/dopayment", of(Call::Hosted)),
        ("/api/OPR001/v3/dopayment", of(Call::HostToHost)),
        ("/api/OPR001/v3/krw-payment", of(Call::Krw)),
        ("/api/OPR001/v3/krw-submit-information", of(Call::KrwInformation)),
        ("/api/OPR001/v3/submit-depositor", of(Call::Depositor)),
        ("/api/OPR001/v3/submit-utr", of(Call::Utr)),
        ("/api/OPR001/v3/submit-refno", of(Call::RefNo)),
        ("/api/v1/payout/OPR001", of(Call::Payout)),
        ("/api/v1/OPR001/transactions/status", of(Call::Status)),
        ("/api/v1/balance/OPR001", of(Call::Balance)),
        ("/api/v1/transaction/resend-callback/OPR001", of(Call::Resend)),
        ("/api/v2/channel/OPR001", of(Call::Channels)),
        ("/api/v2/channel/OPR001/", of(Call::Channels)),
        ("/api/sub-bank/available", Some(Route::Banks)),
        ("/api/v2/jpy/bank-data", Some(Route::JapaneseBanks)),
        ("/api/v2/jpy/branch-data/0001", Some(Route::JapaneseBranches("0001"))),
    ];
    for (path, route) in table {
        assert_eq!(Route::of(path), route, "{path}");
        assert!(Served::owns(path));
    }
}

#[test]
fn other_paths_are_left_to_others() {
    let paths = [
        "",
        "/",
        "/api",
        "/api/v1/bill/check",
        "/api/v1/bill/check/pln",
        "/api/v1/download/1544624544",
        "/api/v1/download/1544624544/1",
        "/api/v1/bill/download/custom",
        "/api/v1/tiketv2",
        "/api/check-balance",
        "/api/pricelist/pulsa/telkomsel",
        "/api/inquiry-game",
        "/api/game/format",
        "/api/esim/notification/activation",
        "/v1/legacy/index",
        "/v1/transaksi/baru",
        "/v1/konfirmasi/x",
        "/v1/balance/OPR001",
        "/v1/v2/dopayment",
        "/api/v2/dopayment",
        "/pay/v2/dopayment",
        "/payment/v2/dopayment",
        "/Admin/v2/dopayment",
        "/pay/0123456789",
        "/AB/v2/dopayment",
        "/OPR_001/v2/dopayment",
        "/OPR001/v2/dopayment/x",
        "/OPR001/v1/dopayment",
        "/OPR001//v2/dopayment",
        "/api/OPR001/v3/other",
        "/api/OPR001/v4/dopayment",
        "/api/v1/payout",
        "/api/v1/payout/OP",
        "/api/v1/payout/OPR001/x",
        "/api/v1/balance/0123456789012345678901234567890123",
    ];
    for path in paths {
        assert!(!Served::owns(path), "{path}");
    }
}
