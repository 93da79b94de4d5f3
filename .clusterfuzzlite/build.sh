#!/bin/bash -eu
# Builds the libFuzzer targets for ClusterFuzzLite and OSS-Fuzz: programs, options and seed corpora in $OUT.
# Without their images: SRC=FOLDER-ABOVE-coroner OUT=FOLDER SANITIZER=none .clusterfuzzlite/build.sh
cd "$SRC/coroner"
# Not `compare`: where releases differ it fails on purpose, as the canary does.
targets="scenario text binary"

case "${SANITIZER:-address}" in
  none)
    # On stable Rust, with nothing installed.
    for target in $targets; do
      cp "$(cargo run --quiet --release --locked -- fuzz "$target" --build-only | tail -n 1)" "$OUT/"
    done
    ;;
  *)
    # The images bring cargo-fuzz, a nightly compiler and the flags of their sanitizer.
    cargo fuzz build -O --target-dir target/oss-fuzz
    for target in $targets; do
      cp "target/oss-fuzz/x86_64-unknown-linux-gnu/release/$target" "$OUT/"
    done
    ;;
esac

for target in $targets; do
  case "$target" in
    text) seeds="regressions/*.scn" ;;
    *) seeds="corpus/scenario/*" ;;
  esac
  # shellcheck disable=SC2086
  zip -q -j "$OUT/${target}_seed_corpus.zip" $seeds
  printf '[libfuzzer]\nmax_len = 192\nlen_control = 0\nentropic = 0\n' > "$OUT/$target.options"
done
# Text is longer than the binary form.
printf '[libfuzzer]\nmax_len = 4096\n' > "$OUT/text.options"
