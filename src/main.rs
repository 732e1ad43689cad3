//! The executable `kubectl-canary_traefik`.

use std::process::ExitCode;

use canary_traefik::{cli, environment::Environment};

fn main() -> ExitCode {
    ExitCode::from(cli::run(Environment::arguments(), Environment::from_process()))
}
