//! The executable `kubectl-canary_traefik`.

fn main() {}
