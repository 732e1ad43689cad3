//! Flagger's next write to a TraefikService.
//!
//! Flagger writes in `pkg/router/traefik.go:Reconcile` (only if it finds a difference, and it does not compare the
//! cookie) and in `SetRoutes`, which `pkg/controller/scheduler.go` calls. Both files as of Flagger 1.44.0.

use serde::Serialize;

use super::{Canary, Rollout, Strategy};

/// Flagger's next write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextWrite {
    /// The time or event of the write.
    pub when: When,
    /// Weights of the primary and the canary, if they can be computed. Flagger omits the primary's 0, which Traefik
    /// takes as 1.
    pub weights: Option<(i64, i64)>,
}

/// When Flagger writes next. Its names are published (`docs/json.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum When {
    /// Flagger has not set a phase yet, or not one that is known here.
    #[serde(rename = "unknown")]
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
    /// At the next tick: the TraefikService differs from what Flagger generates.
    Reset,
    /// Never: the promotion adds to the primary's weight, which is 100 already.
    StuckPromotion,
    /// Not while `spec.suspend` is set.
    Suspended,
    /// Never: the Canary is being deleted.
    Deletion,
}

/// The weight of the primary in the live TraefikService.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LivePrimary {
    /// There is no TraefikService yet: Flagger creates it with 100.
    NotGenerated,
    /// The weight; 0 if it is not written.
    Weight(i64),
    /// Not listed, or not readable by this user.
    Unknown,
}

impl LivePrimary {
    /// Returns the weights of the primary and the canary as Flagger reads them (`GetRoutes`): the canary's is 100 minus
    /// the primary's.
    fn weights(self) -> Option<(i64, i64)> {
        match self {
            Self::NotGenerated => Some((100, 0)),
            Self::Weight(primary) => Some((primary, 100_i64.saturating_sub(primary))),
            Self::Unknown => None,
        }
    }
}

/// Returns Flagger's next write to the TraefikService of this Canary. `reset` is what Flagger resets the weights to, if
/// it finds a difference.
pub fn next_write(canary: &Canary, live: LivePrimary, reset: Option<(i64, i64)>) -> NextWrite {
    let rollout = &canary.rollout;
    let to_primary = Some((100, 0));
    let (when, weights) = match canary.phase.as_deref() {
        // advanceCanary returns before it calls Reconcile.
        _ if rollout.suspended => (When::Suspended, None),
        // The informer's DeleteFunc ends the job; finalize (finalizer.go) calls Finalize of the router, which does
        // nothing.
        Some("Terminating" | "Terminated") => (When::Deletion, None),
        // Reconcile creates it when the primary is ready.
        None | Some("Initializing") if live == LivePrimary::NotGenerated => (When::Generation, to_primary),
        // advanceCanary calls Reconcile at each tick, before it looks at the phase.
        _ if reset.is_some() => (When::Reset, reset),
        // Reconcile finds no difference in an existing one. shouldAdvance: nothing until the target or its
        // configuration changes. Finalising scales the target to zero, writes nothing, and becomes Succeeded.
        Some("Initializing" | "Initialized" | "Finalising" | "Succeeded" | "Failed") => {
            rollout_of(canary, live, When::NewRevision)
        }
        // checkCanaryStatus: runConfirmRolloutHooks.
        Some("Waiting") => rollout_of(canary, live, When::RolloutGate),
        // advanceCanary: `FailedChecks >= GetAnalysisThreshold()` comes before the strategies, only in these two
        // phases.
        Some("Progressing" | "WaitingPromotion")
            if !rollout.skips_analysis && rollout.failed_checks >= rollout.threshold =>
        {
            (When::Rollback, to_primary)
        }
        Some("Progressing") => advance(canary, live),
        // runConfirmPromotionHooks, then as in Progressing.
        Some("WaitingPromotion") => match advance(canary, live) {
            (When::Promotion, weights) if !rollout.skips_analysis => (When::PromotionGate, weights),
            other => other,
        },
        // runPromotionTrafficShift does nothing at a canary weight of 0, and nothing else ends the phase.
        Some("Promoting")
            if rollout.step_weight_promotion.is_some() && live.weights().is_some_and(|(_, canary)| canary <= 0) =>
        {
            (When::StuckPromotion, None)
        }
        // runPromotionTrafficShift, once IsPrimaryReady.
        Some("Promoting") => (When::Promotion, promoted(canary, live)),
        None | Some(_) => (When::NotKnown, None),
    };
    NextWrite { when, weights }
}

/// Returns the first write of a rollout that has yet to begin.
fn rollout_of(canary: &Canary, live: LivePrimary, begins: When) -> (When, Option<(i64, i64)>) {
    // checkCanaryStatus starts it with a fresh status.
    let mut fresh = canary.clone();
    fresh.rollout.iterations_done = 0;
    match advance(&fresh, live) {
        (When::NoSteps, weights) => (When::NoSteps, weights),
        (_, weights) => (begins, weights),
    }
}

/// Returns the next write of a running analysis.
fn advance(canary: &Canary, live: LivePrimary) -> (When, Option<(i64, i64)>) {
    let rollout = &canary.rollout;
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
        Strategy::AbTesting | Strategy::BlueGreen => (When::Promotion, promoted(canary, live)),
        Strategy::Canary => step(canary, live),
    }
}

/// Returns the next write of a canary analysis (`runCanary`).
fn step(canary: &Canary, live: LivePrimary) -> (When, Option<(i64, i64)>) {
    let rollout = &canary.rollout;
    let Some((primary, weight)) = live.weights() else { return (When::Step, None) };
    let next = next_step_weight(rollout, weight);
    if next <= 0 {
        // advanceCanary requires `nextStepWeight(…) > 0`; only the rollback is left.
        return (When::NoSteps, Some((100, 0)));
    }
    // maxWeight
    let most = match (rollout.step_weights.last(), rollout.max_weight) {
        (Some(last), _) => (*last).min(100),
        (None, most) => most.unwrap_or(100),
    };
    if weight >= most {
        (When::Promotion, promoted(canary, live))
    } else if rollout.mirrors && weight == 0 {
        // Mirroring starts again at each tick, because GetRoutes never reports it.
        (When::Iteration, Some((100, 0)))
    } else {
        (When::Step, Some((primary.saturating_sub(next).max(0), weight.saturating_add(next).min(100))))
    }
}

/// Returns by how much the next step raises the canary's weight (`nextStepWeight`).
fn next_step_weight(rollout: &Rollout, canary: i64) -> i64 {
    let steps = &rollout.step_weights;
    if let Some(step) = rollout.step_weight {
        return step;
    }
    let left = 100_i64.saturating_sub(canary);
    match (left, canary) {
        _ if steps.is_empty() => 0,
        (0, _) => 1,
        (_, 0) => steps[0].min(left),
        _ => {
            let pair = steps.windows(2).find(|pair| pair[0] == canary);
            pair.map_or(left, |pair| pair[1].saturating_sub(canary).min(left))
        }
    }
}

/// Returns the weights of the promotion (`runPromotionTrafficShift`): all at once, or of its next step.
fn promoted(canary: &Canary, live: LivePrimary) -> Option<(i64, i64)> {
    match canary.rollout.step_weight_promotion {
        None => Some((100, 0)),
        Some(step) => {
            let (primary, canary) = live.weights()?;
            Some((primary.saturating_add(step).min(100), canary.saturating_sub(step).max(0)))
        }
    }
}
