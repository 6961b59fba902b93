//! Runs the command line and turns its outcome into an exit code.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Keeps the memory of blocks for the next ones, whichever thread they are freed on.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    tumble::cli::run(std::env::args_os().skip(1))
}
