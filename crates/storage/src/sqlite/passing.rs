//! Secrets on their way from the journal into rows, without a key.
//!
//! Backups and audits read the journal and have no key. What is sealed there is sealed for the
//! same place as in the row, so it can be passed on as it is: opening wraps a sealed text into the
//! form of what it seals, and sealing unwraps it again. Nothing that is read this way may be shown
//! or decided on.

use domain::Secret;
use domain::administration::Effect;
use domain::{Credential, MerchantId, ProtocolName};
use gateway::ports::{SealFault, Sealer};

use super::{effects, trees};

/// The name of the secret that is a sealed text.
const SEALED: &str = "sealed";
/// How the places of kept answers begin; all others are of credentials.
const ANSWERS: &str = "answer/";

/// Opens nothing and seals nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passing;

impl Sealer for Passing {
    fn seal(&self, plain: &str, context: &str) -> String {
        let secrets = if context.starts_with(ANSWERS) {
            match effects::read(plain) {
                Ok(Effect::Credential(wrapped)) => Ok(wrapped.secrets),
                _ => Err(()),
            }
        } else {
            trees::read_secrets(plain).map_err(drop)
        };
        let sealed = secrets.ok().and_then(|mut secrets| secrets.remove(SEALED));
        // Nothing else than what was wrapped below is ever given to it; were it, an empty text
        // could not be opened by any key, while passing on `plain` could give a secret away.
        sealed.map(|sealed| sealed.reveal().to_owned()).unwrap_or_default()
    }

    fn open(&self, sealed: &str, context: &str) -> Result<String, SealFault> {
        let secrets = [(SEALED.to_owned(), Secret::new(sealed))].into();
        let wrapped = if context.starts_with(ANSWERS) {
            effects::write(&Effect::Credential(Credential {
                merchant: MerchantId(0),
                protocol: ProtocolName::new(""),
                identifier: String::new(),
                serial: 0,
                secrets,
                expires_at: None,
                revoked_at: None,
            }))
        } else {
            trees::write_secrets(&secrets)
        };
        wrapped.map_err(|_| SealFault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_text_passes_as_it_is() {
        for context in ["credential/iak/0812/1", "answer/ops/r1"] {
            for sealed in ["", "v1:\"quoted\" \\ text", "{\"api_key\":\"k\"}"] {
                let wrapped = Passing.open(sealed, context).expect("wrapped");
                assert_eq!(Passing.seal(&wrapped, context), sealed);
            }
        }
        assert_eq!(Passing.seal("{\"api_key\":\"canary\"}", "credential/iak/0812/1"), "");
        assert_eq!(Passing.seal("canary", "answer/ops/r1"), "");
    }
}
