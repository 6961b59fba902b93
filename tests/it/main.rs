//! All integration tests, in one binary: each module hands its tests over by name.
//!
//! ```text
//! cargo test --test it                         everything
//! cargo test --test it grammar::windows        one folder of golden files
//! UPDATE_EXPECT=1 cargo test --test it readme  rewrite expectations in place
//! TUMBLE_CASES=10000 cargo test --test it reference
//! ```
//!
//! `program.rs` is the only file that knows how a query is run; `TUMBLE_BINARY` names another build to test.

mod aggregates;
mod columnar;
mod difference;
mod ends;
mod escapes;
mod expect;
mod files;
mod follow;
mod fuzz;
mod grammar;
mod oracle;
mod process;
mod program;
mod prompt;
mod pseudo_terminal;
mod random;
mod readme;
mod reference;
mod sinks;
mod socket_sinks;
mod sockets;
mod tidy;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = libtest_mimic::Arguments::from_args();
    let mut tests = Vec::new();
    tests.extend(tidy::tests());
    tests.extend(difference::tests());
    tests.extend(grammar::tests());
    tests.extend(oracle::tests());
    tests.extend(reference::tests());
    tests.extend(aggregates::tests());
    tests.extend(readme::tests());
    tests.extend(process::tests());
    tests.extend(ends::tests());
    tests.extend(escapes::tests());
    tests.extend(sinks::tests());
    tests.extend(columnar::tests());
    tests.extend(fuzz::tests());
    tests.extend(files::tests());
    tests.extend(socket_sinks::tests());
    tests.extend(sockets::tests());
    tests.extend(follow::tests());
    tests.extend(prompt::tests());
    libtest_mimic::run(&arguments, tests).exit_code()
}
