//! The parts, put together over real data.

use gateway::ports::Unsealed;
use protocols::sandbox::demo;

use super::*;
use crate::configuration::sealing::{Key, KeySealer};

/// A program over this data, with short deadlines and cut-offs.
pub(crate) async fn open(data: &Path, sealer: Arc<dyn Sealer>) -> anyhow::Result<Program> {
    let second = Duration::from_secs(1);
    Program::open(Plan {
        data,
        upstream: UpstreamName::new(sandbox::NAME),
        stand_in: sandbox::Settings::default(),
        orders: Orders { answer_within: second, call_within: second, cut_offs: true },
        callers: Callers::default(),
        callbacks: CallbackPlan {
            settings: crate::configuration::defaults().callbacks,
            encryption: Encryption::new(None).unwrap(),
            fallback: None,
        },
        pages: Pages::default(),
        feeds: Vec::new(),
        sealer,
        collector: None,
        exchanges: Exchanges { per_second: None, keep_days: 1, file_bytes: 16 << 20 },
    })
    .await
}

fn sealer() -> Arc<dyn Sealer> {
    Arc::new(KeySealer { key: Key::generate(&SystemEntropy), entropy: Arc::new(SystemEntropy) })
}

/// Whether any file of the data holds this text.
fn holds(data: &Path, text: &str) -> bool {
    let mut paths = std::fs::read_dir(data).unwrap().map(|entry| entry.unwrap().path());
    paths.any(|path| match path.is_dir() {
        true => holds(&path, text),
        false => {
            let bytes = std::fs::read(path).unwrap();
            bytes.windows(text.len()).any(|piece| piece == text.as_bytes())
        }
    })
}

#[tokio::test]
async fn secrets_are_sealed_under_the_key_of_the_instance() {
    let folder = tempfile::TempDir::new().unwrap();
    let (own, other) = (sealer(), sealer());
    let program = open(folder.path(), Arc::clone(&own)).await.unwrap();
    assert!(program.gateway.cut_offs(), "the settings reach the gateway");
    program.gateway.administer(demo::commands(program.gateway.now())).await.unwrap();
    program.close().await;
    let api_key = "9f1c2ab34de5f678";
    assert!(!holds(folder.path(), api_key));

    for wrong in [other, Arc::new(Unsealed)] {
        let fault = open(folder.path(), wrong).await.err().unwrap();
        assert!(format!("{fault:#}").contains("sealed under another key"), "{fault:#}");
    }
    let program = open(folder.path(), own).await.unwrap();
    let catalogue = program.gateway.catalogue();
    let mut credentials = catalogue.all_credentials();
    assert!(credentials.any(|it| it.secrets.values().any(|own| own.reveal() == api_key)));
    program.close().await;
}

#[tokio::test]
async fn without_a_sealer_they_are_there_to_be_read() {
    let folder = tempfile::TempDir::new().unwrap();
    let program = open(folder.path(), Arc::new(Unsealed)).await.unwrap();
    program.gateway.administer(demo::commands(program.gateway.now())).await.unwrap();
    program.close().await;
    assert!(holds(folder.path(), "9f1c2ab34de5f678"), "the other test would prove nothing");
}
