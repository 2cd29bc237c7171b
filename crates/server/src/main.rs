//! The program `lunas`.

fn main() {}
