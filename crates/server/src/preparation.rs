//! What `serve` needs besides its settings: the files and folders that they name, opened or found
//! wanting, and the demands that production makes on them.
//!
//! `check` prepares in the same way and then stops, so that the two never disagree. Everything that
//! is wrong is told at once. It changes nothing on the disk and binds no address, so that it can run
//! beside a server.

use std::path::Path;
use std::sync::Arc;

use domain::UpstreamName;
use gateway::ports::Sealer;
use protocols::sandbox;
use rustix::fs::{Access, access};

use crate::configuration::Loaded;
use crate::configuration::fault::{Fault, Faults};
use crate::configuration::sealing::{Key, KeySealer};
use crate::configuration::typed::{Configuration, Upstream};
use crate::edge::{Certificate, CertificateFault};
use crate::messenger::encryption::Encryption;
use crate::system::SystemEntropy;

/// What was opened.
pub(crate) struct Preparation {
    /// Under which the merchant APIs are served; without it they are served in clear.
    pub(crate) certificate: Option<Arc<Certificate>>,
    /// The supplier of every product.
    pub(crate) upstream: UpstreamName,
    /// How that supplier, the built-in stand-in, behaves.
    pub(crate) stand_in: sandbox::Settings,
    /// Which receivers of callbacks are believed under TLS.
    pub(crate) encryption: Encryption,
    /// Seals stored secrets under the key of the key file.
    pub(crate) sealer: Arc<dyn Sealer>,
}

impl Preparation {
    /// Opens what the settings name. Fails with everything that is wrong with it.
    pub(crate) fn of(loaded: &Loaded) -> Result<Self, Faults> {
        let configuration = &loaded.configuration;
        let mut faults = Vec::new();
        if configuration.admin_tokens.is_empty() {
            let problem = "there is none, so that nobody could administer; write a table such as \
                 [admin_token.owner] with role and token_file";
            faults.push(Fault::of("admin_token", problem));
        }
        let key = Key::from_file(&configuration.key_file).map_err(|fault| {
            faults.push(loaded.effective.fault("secrets.key_file", fault.to_string()));
        });
        if let Err(problem) = usable(&configuration.data_directory) {
            faults.push(loaded.effective.fault("data.directory", problem));
        }
        if configuration.otlp_endpoint.as_ref().is_some_and(|it| it.as_str().starts_with("https")) {
            let problem = "is to be spoken to encrypted, which this version cannot; write the http \
                 address of a collector on this machine, which may go on under TLS";
            faults.push(loaded.effective.fault("telemetry.otlp_endpoint", problem.to_owned()));
        }
        let backup = &configuration.backup;
        if backup.every.is_some()
            && let Err(problem) = usable(&backup.directory)
        {
            faults.push(loaded.effective.fault("backup.directory", problem));
        }
        let certificate = certificate(loaded).map_err(|fault| faults.push(fault)).ok().flatten();
        let upstream = upstream(configuration).map_err(|fault| faults.push(fault));
        let encryption = Encryption::new(configuration.callbacks.ca_file.as_deref());
        let encryption = encryption.map_err(|fault| {
            faults.push(loaded.effective.fault("callbacks.ca_file", fault.to_string()));
        });
        match (key, upstream, encryption) {
            (Ok(key), Ok((upstream, stand_in)), Ok(encryption)) if faults.is_empty() => {
                let sealer = Arc::new(KeySealer { key, entropy: Arc::new(SystemEntropy) });
                Ok(Self { certificate, upstream, stand_in, encryption, sealer })
            }
            _ => Err(Faults(faults)),
        }
    }
}

/// The settings that somebody has written in vain, and why.
pub(crate) fn without_effect(loaded: &Loaded) -> Vec<(&str, &'static str)> {
    let Configuration { limits, backup, .. } = &loaded.configuration;
    let table: [(bool, &[&str], &'static str); 2] = [
        (limits.requests_per_second.is_none(), &["limits.burst"], "limits.requests_per_second = 0"),
        (
            backup.every.is_none(),
            &["backup.directory", "backup.keep"],
            "backup.every kosong · is empty",
        ),
    ];
    let rows = table.into_iter().filter(|(holds, ..)| *holds);
    rows.flat_map(|(_, keys, why)| loaded.effective.set_among(keys).map(move |key| (key, why)))
        .collect()
}

fn certificate(loaded: &Loaded) -> Result<Option<Arc<Certificate>>, Fault> {
    let Some(tls) = &loaded.configuration.tls else { return Ok(None) };
    match Certificate::load(&tls.certificate, &tls.key) {
        Ok(certificate) => Ok(Some(Arc::new(certificate))),
        Err(fault) => {
            let key = match fault {
                CertificateFault::Chain { .. } => "tls.certificate",
                CertificateFault::Key { .. } | CertificateFault::Pair { .. } => "tls.key",
            };
            Err(loaded.effective.fault(key, fault.to_string()))
        }
    }
}

/// Who is asked for every product. Orders cannot be routed by product yet, and a route that would
/// be overlooked must not be accepted.
fn upstream(configuration: &Configuration) -> Result<(UpstreamName, sandbox::Settings), Fault> {
    let routes = &configuration.routes;
    let [name] = routes.otherwise.as_slice() else {
        return Err(match routes.otherwise.is_empty() {
            true => Fault::of(
                "route",
                "there is none for every product; write a table such as [route.everything] with \
                 product = \"*\" and upstreams = [\"NAME\"]",
            ),
            false => one_upstream("the route of \"*\" names several upstreams"),
        });
    };
    if !routes.by_product.is_empty() {
        return Err(one_upstream("some products have a route of their own"));
    }
    match configuration.upstreams.get(name) {
        Some(Upstream::Sandbox { seed, iak_numbers }) => {
            let iak_numbers = (*iak_numbers).into();
            Ok((
                name.clone(),
                sandbox::Settings {
                    seed: *seed,
                    iak_numbers,
                    iak_top_ups_after: None,
                    plays_payers: false,
                },
            ))
        }
        None => Err(Fault::of("route", format!("leads to {name}, which is no upstream"))),
    }
}

fn one_upstream(problem: &str) -> Fault {
    let remedy = "this version asks one upstream for everything; keep one route with \
         product = \"*\" and one upstream";
    Fault::of("route", format!("{problem}; {remedy}"))
}

/// Whether this user may work in a folder, or make it if it is not there.
fn usable(folder: &Path) -> Result<(), String> {
    let absolute =
        std::path::absolute(folder).map_err(|error| format!("has no absolute path ({error})"))?;
    let Some(existing) = absolute.ancestors().find(|it| it.exists()) else {
        return Err("lies nowhere; write the path of a folder".to_owned());
    };
    if !existing.is_dir() {
        return Err(format!("{} is not a folder; write another path", existing.display()));
    }
    access(existing, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK).map_err(|error| {
        format!(
            "{} cannot be written by this user ({error}); change its owner or mode, or write \
             another path",
            existing.display()
        )
    })
}

#[cfg(test)]
#[path = "preparation_tests.rs"]
mod tests;
