//! Flagger's next write to a TraefikService, and what becomes of the stanza in it. Pure.
//!
//! Flagger writes in `pkg/router/traefik.go:Reconcile` (only where it finds a difference, and it does not see a stanza) and
//! in `SetRoutes`; who calls that, and when, stands in `pkg/controller/scheduler.go`. Its type knows no stanza, so each
//! write drops it. Both files as of Flagger 1.44.0.

use crate::model::{Canary, Kept, Live, Observed, Service, State, Strategy, Weight};

/// Flagger's next write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextWrite {
    /// When it comes.
    pub when: When,
    /// The weights of the primary and the canary in it, where they can be computed; the primary's 0 is written as none,
    /// which is Traefik's 1.
    pub weights: Option<(i64, i64)>,
}

/// When Flagger writes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Flagger has said nothing of this Canary yet, or the phase is not one of its.
    NotKnown,
    /// Once the primary is ready: it creates the TraefikService.
    Generation,
    /// Not before there is a new revision: then with the first step of its rollout.
    NewRevision,
    /// Once the gate `confirm-rollout` opens: the first step.
    RolloutGate,
    /// At the next tick whose checks pass: a weight step.
    Step,
    /// At each tick whose checks pass: the same weights again.
    Iteration,
    /// After the last iteration: everybody goes to the canary.
    LastIteration,
    /// Once the primary runs the new revision: everybody goes (back) to it.
    Promotion,
    /// The same, behind the gate `confirm-promotion`.
    PromotionGate,
    /// At the next tick: back to the primary.
    Rollback,
    /// When the analysis fails: it has no steps to advance by.
    NoSteps,
    /// Never, while `spec.suspend` is on.
    Suspended,
    /// Never: the Canary goes away.
    Deletion,
}

/// What becomes of the stanza in Flagger's next write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// There is none, and none is declared.
    NothingToKeep,
    /// It stays: Flagger itself copies what is declared.
    Native,
    /// It stays, or comes: the guard puts what is declared into the write.
    Guard,
    /// It goes.
    Dropped,
    /// There is none now, and none comes.
    NotLive,
    /// Flagger does not write.
    Untouched,
    /// This user may not look for the guard, or not at the TraefikService.
    Unknown,
}

/// What becomes of the stanza of a Canary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fate {
    /// Flagger's next write.
    pub next: NextWrite,
    /// What becomes of the stanza in it.
    pub outcome: Outcome,
}

/// What becomes of the stanza.
pub fn fate(observed: &Observed) -> Fate {
    let next = next_write(observed);
    let outcome = match (observed.kept(), observed.state()) {
        (Kept::Native, _) => Outcome::Native,
        (Kept::Nothing, _) => Outcome::NothingToKeep,
        (_, State::Unknown) => Outcome::Unknown,
        _ if matches!(next.when, When::Suspended | When::Deletion) => Outcome::Untouched,
        (Kept::Guard, _) => Outcome::Guard,
        (Kept::Unknown, _) => Outcome::Unknown,
        (Kept::No, _) if observed.service().is_none_or(|service| service.live == Live::Absent) => Outcome::NotLive,
        (Kept::No, _) => Outcome::Dropped,
    };
    Fate { next, outcome }
}

/// Flagger's next write to the TraefikService of this Canary.
pub fn next_write(observed: &Observed) -> NextWrite {
    let canary = &observed.canary;
    let rollout = &canary.rollout;
    let to_primary = Some((100, 0));
    let (when, weights) = match canary.phase.as_deref() {
        // advanceCanary returns at once, before Reconcile.
        _ if rollout.suspended => (When::Suspended, None),
        // The informer's DeleteFunc ends the job; finalize (finalizer.go) calls a router that does nothing (Finalize).
        Some("Terminating" | "Terminated") => (When::Deletion, None),
        // Reconcile creates it when the primary is ready.
        None | Some("Initializing") if observed.service == Service::NotGenerated => (When::Generation, to_primary),
        // Reconcile finds no difference in one that is there. shouldAdvance: nothing until the target or its configuration
        // changes. Finalising scales the target to zero, writes nothing, and is Succeeded.
        Some("Initializing" | "Initialized" | "Finalising" | "Succeeded" | "Failed") => {
            rollout_of(observed, When::NewRevision)
        }
        // checkCanaryStatus: runConfirmRolloutHooks.
        Some("Waiting") => rollout_of(observed, When::RolloutGate),
        // advanceCanary: `FailedChecks >= GetAnalysisThreshold()` comes before the strategies, in these two phases alone.
        Some("Progressing" | "WaitingPromotion")
            if !rollout.skips_analysis && rollout.failed_checks >= rollout.threshold =>
        {
            (When::Rollback, to_primary)
        }
        Some("Progressing") => advance(observed),
        // runConfirmPromotionHooks, and then as in Progressing.
        Some("WaitingPromotion") => match advance(observed) {
            (When::Promotion, weights) if !rollout.skips_analysis => (When::PromotionGate, weights),
            other => other,
        },
        // runPromotionTrafficShift, once IsPrimaryReady.
        Some("Promoting") => (When::Promotion, promoted(observed)),
        None | Some(_) => (When::NotKnown, None),
    };
    NextWrite { when, weights }
}

/// The first write of a rollout that is still to begin.
fn rollout_of(observed: &Observed, begins: When) -> (When, Option<(i64, i64)>) {
    // checkCanaryStatus begins it with a fresh status.
    let mut fresh = observed.clone();
    fresh.canary.rollout.iterations_done = 0;
    match advance(&fresh) {
        (When::NoSteps, weights) => (When::NoSteps, weights),
        (_, weights) => (begins, weights),
    }
}

/// The next write of a running analysis.
fn advance(observed: &Observed) -> (When, Option<(i64, i64)>) {
    let Canary { rollout, .. } = &observed.canary;
    // shouldSkipAnalysis: all to the primary, and Promote, in one tick.
    if rollout.skips_analysis {
        return (When::Promotion, Some((100, 0)));
    }
    let done = rollout.iterations_done;
    match rollout.strategy {
        // runAB: SetRoutes in each of them; `match` is not read by the Traefik router.
        Strategy::AbTesting if rollout.iterations > done => (When::Iteration, Some((0, 100))),
        // runBlueGreen: with mirroring, SetRoutes in each of them, since GetRoutes never says that it mirrors.
        Strategy::BlueGreen if rollout.iterations > done && rollout.mirrors => (When::Iteration, Some((100, 0))),
        Strategy::BlueGreen if rollout.iterations >= done => (When::LastIteration, Some((0, 100))),
        Strategy::AbTesting | Strategy::BlueGreen => (When::Promotion, promoted(observed)),
        Strategy::Canary => step(observed),
    }
}

/// runCanary.
fn step(observed: &Observed) -> (When, Option<(i64, i64)>) {
    let rollout = &observed.canary.rollout;
    let Some((primary, canary)) = weights(observed) else { return (When::Step, None) };
    let next = next_step_weight(observed, canary);
    if next <= 0 {
        // advanceCanary asks for `nextStepWeight(…) > 0`; what is left is the rollback.
        return (When::NoSteps, Some((100, 0)));
    }
    // maxWeight
    let most = match (rollout.step_weights.last(), rollout.max_weight) {
        (Some(last), _) => (*last).min(100),
        (None, most) => most.unwrap_or(100),
    };
    if canary >= most {
        (When::Promotion, promoted(observed))
    } else if rollout.mirrors && canary == 0 {
        // It begins to mirror anew at each tick: GetRoutes never says that it does.
        (When::Iteration, Some((100, 0)))
    } else {
        (When::Step, Some(((primary - next).max(0), (canary + next).min(100))))
    }
}

/// nextStepWeight
fn next_step_weight(observed: &Observed, canary: i64) -> i64 {
    let rollout = &observed.canary.rollout;
    let steps = &rollout.step_weights;
    if let Some(step) = rollout.step_weight {
        return step;
    }
    let left = 100 - canary;
    match (left, canary) {
        _ if steps.is_empty() => 0,
        (0, _) => 1,
        (_, 0) => steps[0].min(left),
        _ => {
            let pair = steps.windows(2).find(|pair| pair[0] == canary);
            pair.map_or(left, |pair| (pair[1] - canary).min(left))
        }
    }
}

/// runPromotionTrafficShift: all at once, or in steps.
fn promoted(observed: &Observed) -> Option<(i64, i64)> {
    match observed.canary.rollout.step_weight_promotion {
        None => Some((100, 0)),
        Some(step) => {
            let (primary, canary) = weights(observed)?;
            Some(((primary + step).min(100), (canary - step).max(0)))
        }
    }
}

/// The weights as Flagger reads them (`GetRoutes`): the canary's is what the primary's leaves of 100.
fn weights(observed: &Observed) -> Option<(i64, i64)> {
    let primary = match observed.weights().0 {
        Some(Weight::Number(weight)) => weight,
        Some(Weight::Absent) => 0,
        // Before there is one, Flagger is about to write 100.
        None if observed.service == Service::NotGenerated => 100,
        None => return None,
    };
    Some((primary, 100 - primary))
}

#[cfg(test)]
mod tests;
