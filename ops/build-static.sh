#!/bin/sh
# Builds the program as one static file that runs on any Linux of this architecture.
# Needs rustup and a C compiler for musl (Debian: apt install musl-tools).
set -eu

architecture=$(uname -m)
target="$architecture-unknown-linux-musl"

rustup target add "$target"
cargo build --release --locked -p server --target "$target"

program="target/$target/release/lunas"
size=$(stat -c %s "$program")
echo "$program: $size bytes"
if [ "$size" -ge 20000000 ]; then
    echo "larger than 20 MB" >&2
    exit 1
fi
