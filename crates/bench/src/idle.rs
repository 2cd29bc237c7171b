//! What a server keeps in memory while nothing happens.

use std::time::Duration;

use crate::child::Child;
use crate::folders::Folders;
use crate::in_process;
use crate::load::{Command, Load};

/// How long there is something to do before it is idle again.
const WORKED_FOR: Duration = Duration::from_secs(1);
/// How long it has been idle when it is looked at.
const IDLE_FOR: Duration = Duration::from_secs(2);

/// A table: on the first run, after its first orders, and when started anew.
pub(crate) fn measure(folders: &Folders) -> anyhow::Result<String> {
    let data = folders.another()?;
    in_process::prepare(&data)?;
    let first = Child::start("lunas", Some(&data))?;
    let fresh = idle_memory(&first)?;
    let load = Load::new(first.address(), 1, WORKED_FOR);
    let (_, numbers) = load.run("inquiry", Command::Inquire, &first)?;
    load.run("payment", Command::Pay(numbers), &first)?;
    let used = idle_memory(&first)?;
    drop(first);
    let again = idle_memory(&Child::start("lunas", Some(&data))?)?;
    Ok(format!(
        "Memory of an idle server:\n\n| when | MiB |\n|---|---|\n| started on new data | {fresh} |\n\
         | after its first orders | {used} |\n| started anew on them | {again} |"
    ))
}

fn idle_memory(server: &Child) -> anyhow::Result<u64> {
    std::thread::sleep(IDLE_FOR);
    Ok(server.usage()?.memory_kibibytes / 1024)
}
