//! The program `lunas`.

#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the program opens its listener through here once it has commands")
)]
mod edge;

fn main() {}
