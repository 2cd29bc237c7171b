//! `cargo bench -p bench`: see the library for what is measured.

fn main() -> anyhow::Result<()> {
    bench::run()
}
