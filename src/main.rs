//! The executable `kubectl-canary_traefik`.

use std::process::ExitCode;

use canary_traefik::{cli, environment::Environment};

// A panic must end with a message, an exit status and a restored terminal, which requires unwinding.
const _: () = assert!(cfg!(panic = "unwind"), "no profile of this program may have `panic = \"abort\"`");

fn main() -> ExitCode {
    ExitCode::from(cli::run(Environment::arguments(), Environment::from_process()))
}
