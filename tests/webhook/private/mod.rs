//! The API server is asked to behave like Kubernetes 1.35, which serves no `MutatingAdmissionPolicy`. The guard's
//! registration is one for a whole cluster, so tests take turns.

mod certificates;
mod client;
mod clock;
mod faults;
mod guard;
mod hostile;
mod install;
mod mutated;
mod same;
mod spoilt;
mod writes;
