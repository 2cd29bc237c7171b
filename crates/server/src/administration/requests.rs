//! What the admin API takes, as structures with schemas.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use super::forms::{
    CallbackSecret, CallbackUrl, CurrencyCode, DecimalAmount, DisplayName, EvidenceSource,
    FlowWord, FundingDirection, FundingReference, Identifier, InstantText, Label, MinuteText,
    NetworkText, OrderReference, ProductCode, ProductState, Protocol, RepetitionRule, SecretText,
    Sentence, VerdictWord,
};
use super::shape::shape;

shape! {
    /// A merchant to be.
    MerchantToAdd {
        /// The name on receipts and reports.
        name: DisplayName = "Toko Contoh",
        /// The currency of the balance.
        currency: CurrencyCode = "IDR",
        /// The price level.
        level: Label = "retail",
    }
}
shape! {
    /// From where a merchant may call.
    AllowList {
        /// The networks; an empty list allows every address.
        networks: Vec<NetworkText> = ["203.0.113.0/24", "2001:db8::1"],
    }
}
shape! {
    /// How often a merchant may call: a bucket of `burst` requests that refills steadily.
    RateLimitShape {
        /// How many requests come back per second.
        requests_per_second: NonZeroU32 = 10,
        /// How many requests may come at once.
        burst: NonZeroU32 = 20,
    }
}
shape! {
    /// A merchant's limits.
    Limits {
        /// How often it may call; null for what the configuration says of all who have no limit.
        rate_limit: Option<RateLimitShape> = { "requests_per_second": 10, "burst": 20 },
    }
}
shape! {
    /// A credential to be issued, for a new identifier or as the next key of one.
    CredentialToIssue {
        /// In which protocol.
        protocol: Protocol = "iak",
        /// The public part; unique per protocol over all merchants. Not used in ilenpay, where
        /// a credential is named after a digest of its key.
        identifier: Identifier = "081200003333",
        /// Keys to take over, under the protocol's names for them. Left out, random ones are made.
        secrets: Option<BTreeMap<String, SecretText>> = { "api_key": "0123456789abcdef" },
        /// From when on it is worth nothing; left out for never.
        expires_at: Option<InstantText> = "2027-01-01T00:00:00Z",
        /// From when on the key that it replaces is worth nothing.
        previous_expires_at: Option<InstantText> = "2026-01-08T00:00:00Z",
    }
}
shape! {
    /// A credential to be taken out of use.
    CredentialToRevoke {
        /// In which protocol.
        protocol: Protocol = "iak",
        /// Under which identifier.
        identifier: Identifier = "081200003333",
        /// Which of the identifier's credentials.
        serial: u32 = 1,
    }
}
shape! {
    /// A correction of a merchant's balance.
    FundingToMake {
        /// Which way.
        direction: FundingDirection = "credit",
        /// How much, in the merchant's currency.
        amount: DecimalAmount = "150000",
        /// The operator's own name for the payment, used once per merchant.
        reference: FundingReference = "BCA-20260102-0001",
        /// Why, for the audit record.
        reason: Sentence = "Transfer BCA 2 Januari",
    }
}
shape! {
    /// A product's code in a protocol.
    AliasShape {
        /// The protocol.
        protocol: Protocol = "iak",
        /// The code that merchants send.
        code: ProductCode = "PLNPOSTPAID",
    }
}
shape! {
    /// What is taken for one bill of a product.
    TermsShape {
        /// The price level for which this holds.
        level: Label = "retail",
        /// The protocol for which this holds; null for all that have no terms of their own.
        protocol: Option<Protocol> = "iak",
        /// The currency of both amounts.
        currency: CurrencyCode = "IDR",
        /// What the end customer pays on top, per bill.
        admin_fee: DecimalAmount = "2500",
        /// What the merchant keeps, per bill.
        commission: DecimalAmount = "600",
    }
}
shape! {
    /// What a merchant pays for one piece of a product with fixed prices.
    PriceShape {
        /// The price level for which this holds.
        level: Label = "retail",
        /// The protocol for which this holds; null for all that have no price of their own.
        protocol: Option<Protocol> = "isikuota",
        /// What leaves the merchant's balance.
        amount: DecimalAmount = "25150",
    }
}
shape! {
    /// What is particular to a product that is bought at a fixed price, without asking for a bill.
    TopUpShape {
        /// The operator or brand.
        operator: DisplayName = "xl",
        /// What one gets, as price lists show it.
        denomination: DisplayName = "25000",
        /// What else is to be known of it; left out where there is nothing.
        details: Option<Sentence> = null,
        /// For how many days it can be used; 0 where that does not apply.
        active_days: u16 = 30,
        /// The currency of cost and prices.
        currency: CurrencyCode = "IDR",
        /// What the supplier takes, as far as is known. Prices are compared with it; it decides
        /// nothing.
        cost: Option<DecimalAmount> = "24900",
        /// The prices, per level and protocol.
        prices: Vec<PriceShape> = [{ "level": "retail", "protocol": "isikuota", "amount": "25150" }],
    }
}
shape! {
    /// What is particular to a way for money in or out.
    ChannelShape {
        /// Which way.
        flow: FlowWord = "in",
        /// The currencies that go through it; none is all.
        currencies: Vec<CurrencyCode> = ["IDR"],
        /// What we take of each million minor units, rounded up: 10000 is one in a hundred.
        fee_per_million: u32 = 10000,
        /// What we take in any case, in minor units.
        fee_fixed: u32 = 0,
        /// For how many hundredths of cash the channel's own money counts, where it is worth less,
        /// as telephone credit is.
        rate_hundredths: Option<u16> = null,
        /// Where payers send their money; one for each currency as `INR=…;THB=…`. Left out where they
        /// are told otherwise.
        account: Option<Sentence> = "0011223344 Toko Contoh",
        /// The highest amount of one order, in minor units; none is without a limit.
        amount_max: Option<u64> = 50000000,
    }
}
shape! {
    /// A daily span in which a product is closed, in Asia/Jakarta.
    CutOffShape {
        /// First closed minute.
        from: MinuteText = "23:00",
        /// First minute that is open again.
        until: MinuteText = "01:00",
    }
}
shape! {
    /// A product, without its own name.
    ProductContent {
        /// The name on price lists and receipts.
        name: DisplayName = "PLN POSTPAID",
        /// The group in which price lists show it.
        group: Label = "pln",
        /// The province that it serves, for billers that serve one.
        province: Option<DisplayName> = null,
        /// Whether it is on sale.
        status: ProductState = "active",
        /// Its codes, per protocol.
        aliases: Vec<AliasShape> = [{ "protocol": "iak", "code": "PLNPOSTPAID" }],
        /// Its terms, per level and protocol; none for a top-up.
        terms: Vec<TermsShape> = [{
            "level": "retail", "protocol": "iak", "currency": "IDR",
            "admin_fee": "2500", "commission": "600"
        }],
        /// When it is closed, daily.
        cut_off: Option<CutOffShape> = { "from": "23:00", "until": "01:00" },
        /// What is particular to a top-up; left out for a product whose bills are asked for.
        top_up: Option<TopUpShape> = null,
        /// What is particular to a way for money in or out; left out, what the product has of it stays.
        channel: Option<ChannelShape> = null,
    }
}
shape! {
    /// Whether a product is on sale.
    ProductStatusShape {
        /// Whether it is on sale from now on.
        status: ProductState = "inactive",
    }
}
shape! {
    /// A person's decision about an order whose outcome is open.
    Resolution {
        /// The merchant's reference.
        reference: OrderReference = "INV-0001",
        /// The order's number, where several orders have the reference.
        order: Option<u64> = 17,
        /// What became of it.
        verdict: VerdictWord = "success",
    }
}
shape! {
    /// A collection that evidence is to pay.
    EvidenceAssignment {
        /// Who saw the money.
        source: EvidenceSource = "bank_bca",
        /// The source's name for it.
        id: OrderReference = "20260102-000017",
        /// The number of the order.
        order: u64 = 17,
    }
}
shape! {
    /// Money on suspense that is no order's.
    EvidenceRelease {
        /// Who saw the money.
        source: EvidenceSource = "bank_bca",
        /// The source's name for it.
        id: OrderReference = "20260102-000017",
        /// Who gets it; null if it goes back to whoever sent it.
        merchant: Option<u32> = 1,
        /// Why, for the audit record.
        reason: Sentence = "Dikembalikan ke pengirim",
    }
}
shape! {
    /// How often a merchant may top up one number.
    RepetitionShape {
        /// The rule; what failed does not count.
        repetition: RepetitionRule = "once-per-product",
    }
}
shape! {
    /// Where a merchant is to be called back. A stopped address is taken into use again.
    EndpointToSet {
        /// The address.
        url: CallbackUrl = "https://shop.example/callback",
        /// The secret to sign with; left out, a new one is made and shown in the answer.
        secret: Option<CallbackSecret> = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        /// Whether to go on with the secret that there is; it is not shown again.
        keep_secret: Option<bool> = null,
    }
}
shape! {
    /// Whose address is to be tried out.
    CallbackTest {
        /// The merchant.
        merchant: u32 = 1,
        /// The protocol.
        protocol: Protocol = "iak",
    }
}
