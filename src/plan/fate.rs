//! Flagger's next write to a TraefikService, and its effect on the cookie. Pure.
//!
//! Flagger writes in `pkg/router/traefik.go:Reconcile` (only if it finds a difference, and it does not compare the
//! cookie) and in `SetRoutes`, which `pkg/controller/scheduler.go` calls. Its type has no `sticky` field, so each write
//! removes it. Both files as of Flagger 1.44.0.

use crate::model::{Canary, Live, Observed, Protection, State, Strategy, TraefikServiceState, Weight};

/// Flagger's next write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextWrite {
    /// The time or event of the write.
    pub when: When,
    /// Weights of the primary and the canary, if they can be computed. Flagger omits the primary's 0, which Traefik
    /// takes as 1.
    pub weights: Option<(i64, i64)>,
}

/// When Flagger writes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Flagger has not set a phase yet, or not one that is known here.
    NotKnown,
    /// Once the primary is ready: it creates the TraefikService.
    Generation,
    /// With the first step of the rollout of a new revision, not before.
    NewRevision,
    /// With the first step, once the gate `confirm-rollout` opens.
    RolloutGate,
    /// With a weight step, at the next tick whose checks pass.
    Step,
    /// With the same weights again, at each tick whose checks pass.
    Iteration,
    /// After the last iteration: all traffic goes to the canary.
    LastIteration,
    /// Once the primary runs the new revision: all traffic goes (back) to it.
    Promotion,
    /// Like `Promotion`, once the gate `confirm-promotion` opens.
    PromotionGate,
    /// At the next tick: all traffic goes back to the primary.
    Rollback,
    /// Only if the analysis fails, because it has no steps.
    NoSteps,
    /// Not while `spec.suspend` is set.
    Suspended,
    /// Never: the Canary is being deleted.
    Deletion,
}

/// The effect of Flagger's next write on the cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// There is no cookie, live or declared.
    NoCookie,
    /// The cookie stays: Flagger copies the declared one itself.
    Native,
    /// The cookie stays or is added: the guard puts the declared one into the write.
    Guard,
    /// The write removes the cookie.
    Dropped,
    /// There is no live cookie, and the write adds none.
    NotLive,
    /// Flagger does not write.
    Untouched,
    /// This user may not read the guard, or the TraefikService.
    Unknown,
}

/// Flagger's next write with its effect on the cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteEffect {
    /// Flagger's next write.
    pub next: NextWrite,
    /// Its effect on the cookie.
    pub outcome: Outcome,
}

/// Returns Flagger's next write with its effect on the cookie.
pub fn fate(observed: &Observed) -> WriteEffect {
    let next = next_write(observed);
    let outcome = match (observed.protection(), observed.state()) {
        (Protection::Native, _) => Outcome::Native,
        (Protection::Nothing, _) => Outcome::NoCookie,
        (_, State::Unknown) => Outcome::Unknown,
        _ if matches!(next.when, When::Suspended | When::Deletion) => Outcome::Untouched,
        (Protection::Guard, _) => Outcome::Guard,
        (Protection::Unknown, _) => Outcome::Unknown,
        (Protection::No, _) if observed.service().is_none_or(|service| service.live == Live::Absent) => {
            Outcome::NotLive
        }
        (Protection::No, _) => Outcome::Dropped,
    };
    WriteEffect { next, outcome }
}

/// Returns Flagger's next write to the TraefikService of this Canary.
pub fn next_write(observed: &Observed) -> NextWrite {
    let canary = &observed.canary;
    let rollout = &canary.rollout;
    let to_primary = Some((100, 0));
    let (when, weights) = match canary.phase.as_deref() {
        // advanceCanary returns before it calls Reconcile.
        _ if rollout.suspended => (When::Suspended, None),
        // The informer's DeleteFunc ends the job; finalize (finalizer.go) calls Finalize of the router, which does
        // nothing.
        Some("Terminating" | "Terminated") => (When::Deletion, None),
        // Reconcile creates it when the primary is ready.
        None | Some("Initializing") if observed.service == TraefikServiceState::NotGenerated => {
            (When::Generation, to_primary)
        }
        // Reconcile finds no difference in an existing one. shouldAdvance: nothing until the target or its
        // configuration changes. Finalising scales the target to zero, writes nothing, and becomes Succeeded.
        Some("Initializing" | "Initialized" | "Finalising" | "Succeeded" | "Failed") => {
            rollout_of(observed, When::NewRevision)
        }
        // checkCanaryStatus: runConfirmRolloutHooks.
        Some("Waiting") => rollout_of(observed, When::RolloutGate),
        // advanceCanary: `FailedChecks >= GetAnalysisThreshold()` comes before the strategies, only in these two
        // phases.
        Some("Progressing" | "WaitingPromotion")
            if !rollout.skips_analysis && rollout.failed_checks >= rollout.threshold =>
        {
            (When::Rollback, to_primary)
        }
        Some("Progressing") => advance(observed),
        // runConfirmPromotionHooks, then as in Progressing.
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

/// Returns the first write of a rollout that has yet to begin.
fn rollout_of(observed: &Observed, begins: When) -> (When, Option<(i64, i64)>) {
    // checkCanaryStatus starts it with a fresh status.
    let mut fresh = observed.clone();
    fresh.canary.rollout.iterations_done = 0;
    match advance(&fresh) {
        (When::NoSteps, weights) => (When::NoSteps, weights),
        (_, weights) => (begins, weights),
    }
}

/// Returns the next write of a running analysis.
fn advance(observed: &Observed) -> (When, Option<(i64, i64)>) {
    let Canary { rollout, .. } = &observed.canary;
    // shouldSkipAnalysis: all traffic to the primary, and Promote, in one tick.
    if rollout.skips_analysis {
        return (When::Promotion, Some((100, 0)));
    }
    let done = rollout.iterations_done;
    match rollout.strategy {
        // runAB: SetRoutes at each iteration; the Traefik router does not read `match`.
        Strategy::AbTesting if rollout.iterations > done => (When::Iteration, Some((0, 100))),
        // runBlueGreen: with mirroring, SetRoutes at each iteration, because GetRoutes never reports mirroring.
        Strategy::BlueGreen if rollout.iterations > done && rollout.mirrors => (When::Iteration, Some((100, 0))),
        Strategy::BlueGreen if rollout.iterations >= done => (When::LastIteration, Some((0, 100))),
        Strategy::AbTesting | Strategy::BlueGreen => (When::Promotion, promoted(observed)),
        Strategy::Canary => step(observed),
    }
}

/// Returns the next write of a canary analysis (`runCanary`).
fn step(observed: &Observed) -> (When, Option<(i64, i64)>) {
    let rollout = &observed.canary.rollout;
    let Some((primary, canary)) = weights(observed) else { return (When::Step, None) };
    let next = next_step_weight(observed, canary);
    if next <= 0 {
        // advanceCanary requires `nextStepWeight(…) > 0`; only the rollback is left.
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
        // Mirroring starts again at each tick, because GetRoutes never reports it.
        (When::Iteration, Some((100, 0)))
    } else {
        (When::Step, Some(((primary - next).max(0), (canary + next).min(100))))
    }
}

/// Returns by how much the next step raises the canary's weight (`nextStepWeight`).
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

/// Returns the weights of the promotion (`runPromotionTrafficShift`): all at once, or of its next step.
fn promoted(observed: &Observed) -> Option<(i64, i64)> {
    match observed.canary.rollout.step_weight_promotion {
        None => Some((100, 0)),
        Some(step) => {
            let (primary, canary) = weights(observed)?;
            Some(((primary + step).min(100), (canary - step).max(0)))
        }
    }
}

/// Returns the weights as Flagger reads them (`GetRoutes`): the canary's is 100 minus the primary's.
fn weights(observed: &Observed) -> Option<(i64, i64)> {
    let primary = match observed.weights().0 {
        Some(Weight::Number(weight)) => weight,
        Some(Weight::Absent) => 0,
        // Flagger is about to create it with 100.
        None if observed.service == TraefikServiceState::NotGenerated => 100,
        None => return None,
    };
    Some((primary, 100 - primary))
}

#[cfg(test)]
mod tests;
