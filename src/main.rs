//! The command line: see [`coroner::cli`].
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    coroner::cli::main()
}
