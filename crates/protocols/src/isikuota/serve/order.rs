//! `/v1/order`: `prepaid`, `game`, `inquiry` and `pay-pasca` (isikuota reference, sections 5 to 7).

use std::time::Duration;

use domain::product::QuoteExpiry;
use domain::{Mode, Order, OrderState, Product, Reference, Refusal};
use gateway::ports::Parameters;
use gateway::{Inquiry, Repeats, TopUpRequest};

use super::{Caller, Denial, NAME, Served};
use crate::isikuota::GAME;
use crate::isikuota::codes::{self, Standing};
use crate::isikuota::sign::Signature;
use crate::isikuota::wire::answer::Message;
use crate::isikuota::wire::fields::{Faults, Fields};

/// How long an inquiry can be paid (section 6.1).
const INQUIRY_LIFE: Duration = Duration::from_secs(300);
/// How many digits of its signature name a request without a name (section 7).
const GENERATED_DIGITS: usize = 13;

/// What an order is asked for by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Prepaid,
    Game,
    Inquiry,
    Payment,
}

impl Command {
    fn named(name: &str) -> Option<Self> {
        match name {
            "prepaid" => Some(Self::Prepaid),
            "game" => Some(Self::Game),
            "inquiry" => Some(Self::Inquiry),
            "pay-pasca" => Some(Self::Payment),
            _ => None,
        }
    }

    /// Whether this is the command for a product (section 8: a product of another kind is not
    /// found).
    fn fits(self, product: &Product) -> bool {
        match (&product.top_up, self) {
            (Some(_), Self::Prepaid) => product.group != GAME,
            (Some(_), Self::Game) => product.group == GAME,
            (None, Self::Inquiry | Self::Payment) => product.channel.is_none(),
            (Some(_), Self::Inquiry | Self::Payment) | (None, Self::Prepaid | Self::Game) => false,
        }
    }

    /// How an order remembers by which of the two top-up commands it was made.
    const fn dialect(self) -> &'static str {
        match self {
            Self::Game => "game",
            Self::Prepaid | Self::Inquiry | Self::Payment => "",
        }
    }
}

/// What an order asks for, under its own reference or one made for it.
#[derive(Debug)]
struct Asked {
    command: Command,
    code: String,
    destination: String,
    reference: Reference,
    mode: Mode,
}

impl Asked {
    fn read(mut fields: Fields<'_>, signature: &Signature) -> Result<Self, Faults> {
        let command = fields.word("cmd", Command::named);
        let code = fields.text("code");
        let destination = fields.text("customer_no");
        let reference = match command {
            Some(Command::Payment) => fields.text("ref_id").map(Reference::new),
            Some(command) => {
                let own = fields.optional_text("ref_id").map(Reference::new);
                Some(own.unwrap_or_else(|| generated(command, signature)))
            }
            None => None,
        };
        let mode = mode(&mut fields);
        let read = command.zip(code).zip(destination).zip(reference);
        let (((command, code), destination), reference) = fields.checked(read)?;
        let (code, destination) = (code.to_owned(), destination.to_owned());
        Ok(Self { command, code, destination, reference, mode })
    }

    /// Whether an order was made by just this.
    fn made(&self, order: &Order) -> bool {
        let kind = match self.command {
            Command::Prepaid | Command::Game => order.is_top_up(),
            Command::Inquiry | Command::Payment => !order.is_top_up(),
        };
        kind && order.code == self.code
            && order.destination == self.destination
            && order.dialect == self.command.dialect()
    }
}

/// In which mode a request is made (section 10).
pub(super) fn mode(fields: &mut Fields<'_>) -> Mode {
    if fields.truth("testing") { Mode::Test } else { Mode::Live }
}

/// The name of a request that has none. It follows from the signature, and so from everything that
/// was asked and when: the same request sent again is the same order.
fn generated(command: Command, signature: &Signature) -> Reference {
    let digits = hex::encode(signature);
    let digits = digits.get(..GENERATED_DIGITS).unwrap_or(&digits);
    match command {
        Command::Inquiry | Command::Payment => Reference::new(format!("INQ-{digits}")),
        Command::Prepaid | Command::Game => Reference::new(format!("TRX{digits}")),
    }
}

impl Served {
    pub(super) async fn order(
        &self,
        caller: Caller,
        fields: Fields<'_>,
    ) -> Result<Message, Denial> {
        let asked = Asked::read(fields, &caller.signature)?;
        match asked.command {
            Command::Prepaid | Command::Game => self.top_up(caller, asked).await,
            Command::Inquiry => self.inquire(caller, asked).await,
            Command::Payment => self.pay(caller, asked).await,
        }
    }

    /// Whether the product exists and this is the command for it.
    fn check_product(&self, asked: &Asked) -> Result<(), Refusal> {
        let catalogue = self.gateway.catalogue();
        let product = catalogue.product_by_code(NAME, &asked.code);
        product
            .filter(|product| asked.command.fits(product))
            .map(|_| ())
            .ok_or(Refusal::ProductUnknown)
    }

    /// A repeat is answered before anything else is looked at: what was bought stays bought, also
    /// when the product is switched off meanwhile.
    async fn top_up(&self, caller: Caller, asked: Asked) -> Result<Message, Denial> {
        let key = self.key(&caller.merchant, asked.mode, asked.reference.clone());
        if let Some(order) = self.find(&key).await? {
            return match (asked.made(&order), Standing::of(order.state)) {
                (true, Some(standing)) => Ok(self.bought(&order, standing)),
                _ => Err(Refusal::ReferenceUsed.into()),
            };
        }
        self.check_product(&asked)?;
        let request = TopUpRequest {
            merchant: caller.merchant,
            protocol: key.protocol,
            mode: key.mode,
            reference: key.reference,
            dialect: asked.command.dialect().to_owned(),
            code: asked.code,
            destination: asked.destination,
            calls_back: true,
            answer_within: None,
        };
        let order = self.gateway.buy(request).await?.order;
        let standing = Standing::of(order.state).unwrap_or(Standing::Pending);
        Ok(self.bought(&order, standing))
    }

    fn bought(&self, order: &Order, standing: Standing) -> Message {
        let data = self.shown(order, |transaction| transaction.top_up(standing));
        Message::with(standing.of_order(), data)
    }

    async fn inquire(&self, caller: Caller, asked: Asked) -> Result<Message, Denial> {
        self.check_product(&asked)?;
        let inquiry = Inquiry {
            merchant: caller.merchant,
            protocol: self.protocol.clone(),
            mode: asked.mode,
            reference: asked.reference,
            code: asked.code,
            destination: asked.destination,
            parameters: Parameters::default(),
            expiry: QuoteExpiry::After(INQUIRY_LIFE),
            repeats: Repeats::Renewed,
            dialect: String::new(),
            calls_back: true,
        };
        let order = self.gateway.inquire(inquiry).await?;
        let data = self.shown(&order, |transaction| transaction.inquired());
        Ok(Message::with(codes::BILL_INQUIRY_SUCCESS, data))
    }

    /// Once a payment was accepted the reference names that payment, and anything else under it is
    /// another order; before, it names the inquiry, which the payment has to match.
    async fn pay(&self, caller: Caller, asked: Asked) -> Result<Message, Denial> {
        let key = self.key(&caller.merchant, asked.mode, asked.reference.clone());
        let order = self.find(&key).await?.ok_or(codes::INQUIRY_NOT_FOUND)?;
        match (order.state, asked.made(&order)) {
            (OrderState::Quoted, false) => return Err(codes::INQUIRY_MISMATCH.into()),
            (_, false) => return Err(Refusal::ReferenceUsed.into()),
            (_, true) => {}
        }
        let order = self.gateway.pay(&caller.merchant, order.id).await?.order;
        let standing = Standing::of(order.state).unwrap_or(Standing::Pending);
        let data = self.shown(&order, |transaction| transaction.paid(standing));
        Ok(Message::with(standing.of_payment(), data))
    }
}
