//! What a table changes, and everything that keeps it from changing anything.

use super::*;

/// A top-up and a bill, as the API lists them.
fn known() -> Vec<Value> {
    vec![
        json!({
            "product": "xl-25000", "name": "XL 25.000", "group": "pulsa", "province": null,
            "status": "active", "terms": [], "cut_off": null,
            "aliases": [{ "protocol": "iak", "code": "xld25000" },
                { "protocol": "isikuota", "code": "XL25" }],
            "top_up": { "operator": "xl", "denomination": "25000", "details": null,
                "active_days": 30, "currency": "IDR", "cost": "24900",
                "prices": [{ "level": "retail", "protocol": "iak", "amount": "25100" },
                    { "level": "retail", "protocol": null, "amount": "25150" }] },
        }),
        json!({
            "product": "pln-postpaid", "name": "PLN", "group": "pln", "province": null,
            "status": "inactive", "cut_off": { "from": "23:00", "until": "01:00" },
            "aliases": [{ "protocol": "iak", "code": "PLNPOSTPAID" }],
            "terms": [{ "level": "retail", "protocol": null, "currency": "IDR",
                "admin_fee": "2500", "commission": "600" }],
            "top_up": null,
        }),
        json!({
            "product": "baht", "name": "Baht", "group": "pulsa", "province": null,
            "status": "active", "aliases": [], "cut_off": null, "top_up": null,
            "terms": [{ "level": "retail", "protocol": null, "currency": "THB",
                "admin_fee": "1", "commission": "0" }],
        }),
    ]
}

fn planned(text: &str) -> Plan {
    plan(text, &known()).unwrap_or_else(|faults| panic!("{faults:?}"))
}

#[test]
fn a_table_is_told_change_by_change() {
    let table = [
        // A column that is not there changes nothing, and neither does the same again.
        ("product\nxl-25000", "Tetap · unchanged: xl-25000\n"),
        (
            "product,cost,price:retail:iak,code:iak\nxl-25000,24900.00,25100,xld25000",
            "Tetap · unchanged: xl-25000\n",
        ),
        (
            "product,cost,price:retail:iak,price:grosir\nxl-25000,24950,,25000",
            "Diubah · changed: xl-25000\n  cost: 24900 → 24950\n  price:grosir: - → 25000\n  \
             price:retail:iak: 25100 → -\n",
        ),
        (
            "product;closed;status;admin_fee:retail;commission:retail\n\
             pln-postpaid;;active;3000;600\n",
            "Diubah · changed: pln-postpaid\n  status: inactive → active\n  \
             closed: 23:00-01:00 → -\n  admin_fee:retail: 2500 → 3000\n",
        ),
        (
            "product,name,group,operator,denomination,price:retail\n\
             xl-5,\"XL, 5\",pulsa,xl,5000,5500\n",
            "Baru · added: xl-5\n  name: - → XL, 5\n  group: - → pulsa\n  status: - → active\n  \
             operator: - → xl\n  denomination: - → 5000\n  price:retail: - → 5500\n",
        ),
    ];
    for (text, lines) in table {
        assert_eq!(planned(text).lines(), lines, "{text}");
    }
}

#[test]
fn what_sells_below_cost_is_named_per_level_and_protocol() {
    let told = |text: &str| {
        let below = planned(text).json()["below_cost"].clone();
        let one = |it: &Value| format!("{} {} {}", it["level"], it["protocol"], it["price"]);
        let all: Vec<_> = below.as_array().expect("a list").iter().map(one).collect();
        all.join(", ").replace('"', "")
    };
    let table = [
        ("product\nxl-25000", ""),
        ("product,cost\nxl-25000,25100", ""),
        ("product,cost\nxl-25000,25101", "retail iak 25100"),
        // The price for all protocols counts where there is no other.
        ("product,cost\nxl-25000,25151", "retail isikuota 25150, retail iak 25100"),
        ("product,price:retail:iak\nxl-25000,", ""),
        (
            "product,cost,price:retail:iak\nxl-25000,26000,",
            "retail iak 25150, retail isikuota 25150",
        ),
        ("product,price:grosir:isikuota\nxl-25000,0", "grosir isikuota 0"),
        ("product,cost\nxl-25000,", ""),
        ("product\npln-postpaid", ""),
    ];
    for (text, expected) in table {
        assert_eq!(told(text), expected, "{text}");
    }
    let lines = planned("product,cost\nxl-25000,25101").lines();
    assert!(lines.ends_with("BELOW COST: xl-25000 retail iak: 25100 < 25101\n"), "{lines}");
}

#[test]
fn what_is_put_is_all_of_the_product() {
    let plan = planned("product,price:retail:iak\nxl-25000,25200");
    let (_, mut expected) = content::taken_apart(known().swap_remove(0)).expect("named");
    expected["top_up"]["prices"] = json!([
        { "level": "retail", "protocol": null, "amount": "25150" },
        { "level": "retail", "protocol": "iak", "amount": "25200" },
    ]);
    assert_eq!(plan.steps[0].content, expected);
    assert_eq!(plan.json()["products"][0]["what"], "changed");
}

#[test]
fn a_code_moves_once_its_holder_has_let_go_of_it() {
    let text =
        "product,code:isikuota,name,group\nxl-25000,XL25B,XL,pulsa\nother,XL25,Other,pulsa\n";
    assert_eq!(planned(text).steps.len(), 2);
}

/// Line and column of every fault, and a part of what is said.
#[test]
fn faults_are_told_where_they_are_and_all_at_once() {
    type Fault = (usize, usize, &'static str);
    let table: [(&str, &[Fault]); 20] = [
        ("", &[(1, 1, "empty")]),
        ("name\nx", &[(1, 1, "no column product")]),
        ("product,price,prize:x\nx,1,2", &[(1, 2, "unknown"), (1, 3, "unknown")]),
        ("product,cost,cost\nx,1,1", &[(1, 3, "twice")]),
        ("product,product\nx,x", &[(1, 2, "twice")]),
        ("product,cost\nxl-25000", &[(2, 1, "1 cells where there are 2")]),
        ("product,cost\nxl-25000,1,2", &[(2, 3, "3 cells where there are 2")]),
        ("product,cost\nXL,1", &[(2, 1, "form is wrong")]),
        ("product,cost\n,1", &[(2, 1, "form is wrong")]),
        ("product\nxl-25000\nxl-25000", &[(3, 1, "in line 2 already")]),
        (
            "product,cost,active_days\nxl-25000,24.900,x",
            &[(2, 2, "cost: "), (2, 3, "number of days")],
        ),
        ("product,cost\nxl-25000,-1\n\npln-postpaid,x", &[(2, 2, "cost"), (4, 2, "cost")]),
        ("product,status\nxl-25000,on", &[(2, 2, "active or inactive")]),
        ("product,name\nnew,New", &[(2, 1, "group is missing")]),
        (
            "product,name,group,cost\nnew,New,pulsa,1",
            &[(2, 1, "operator is missing"), (2, 1, "denomination is missing")],
        ),
        ("product,admin_fee:grosir\npln-postpaid,1", &[(2, 1, "commission:grosir is missing")]),
        (
            "product,cost\npln-postpaid,1",
            &[(2, 1, "operator"), (2, 1, "denom"), (2, 1, "has prices")],
        ),
        ("product,code:iak\nxl-25000,PLNPOSTPAID", &[(2, 2, "is that of pln-postpaid")]),
        ("product,name\nbaht,Baht", &[(2, 1, "not in rupiah")]),
        ("product,name\nxl-25000,\"X", &[(2, 2, "never closed")]),
    ];
    for (text, expected) in table {
        let faults = plan(text, &known()).expect_err(text);
        let places: Vec<_> = faults.iter().map(|it| (it.place.line, it.place.column)).collect();
        let wanted: Vec<_> = expected.iter().map(|(line, column, _)| (*line, *column)).collect();
        assert_eq!(places, wanted, "{text}: {faults:?}");
        for (fault, (_, _, part)) in faults.iter().zip(expected) {
            assert!(fault.what.contains(part), "{text}: {fault}");
        }
    }
}
