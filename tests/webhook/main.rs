//! `guard run` as a process of its own beside a real API server that serves no admission policies: it is asked to behave like
//! Kubernetes 1.35. The guard's registration is one for a whole cluster, so tests take turns.
#![expect(clippy::too_many_lines, reason = "a test holds what is shown, in full")]

mod certificates;
mod client;
mod clock;
mod deployed;
mod entries;
mod faults;
mod gate;
mod giant;
mod guard;
mod handed;
mod hostile;
mod install;
mod mutated;
/// Left out where no policies are served at all.
mod policies;
mod same;
mod selectors;
mod service;
mod silence;
mod spoilt;
mod tenants;
mod token;
mod token_entries;
mod undoing;
mod uninstall;
mod verifier;
mod writes;
