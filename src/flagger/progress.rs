//! How far a rollout has come.

use super::{Canary, Strategy};

/// The place of a rollout in its analysis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Steps or iterations reached so far; 0 before the first one.
    pub step: usize,
    /// Steps or iterations of the whole analysis; 0 if it has none.
    pub steps: usize,
    /// When Flagger checks next, in Unix seconds: `status.lastTransitionTime`, which Flagger sets with each change of the
    /// status, plus the interval of the analysis. `None` if the time is not set.
    pub next_check: Option<i64>,
}

impl Canary {
    /// Returns how far the rollout has come with this weight of the canary; `None` if there is no rollout, or Flagger is
    /// suspended.
    pub fn progress(&self, weight: i64) -> Option<Progress> {
        let rollout = &self.rollout;
        let is_over = match self.phase.as_deref() {
            Some("Waiting" | "Progressing") => false,
            Some("WaitingPromotion" | "Promoting" | "Finalising") => true,
            _ => return None,
        };
        if rollout.suspended {
            return None;
        }
        let count = |number: i64| usize::try_from(number).unwrap_or(0);
        let (step, steps) = match rollout.strategy {
            Strategy::Canary => {
                let steps = rollout.steps().unwrap_or_default();
                (steps.iter().filter(|step| **step <= weight).count(), steps.len())
            }
            Strategy::AbTesting | Strategy::BlueGreen => (count(rollout.iterations_done), count(rollout.iterations)),
        };
        let step = if is_over { steps } else { step.min(steps) };
        let next_check = rollout.last_transition.and_then(|at| at.checked_add(rollout.interval));
        Some(Progress { step, steps, next_check })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_rollout_is_at_the_step_that_its_weight_has_reached() {
        let steps = json!({"interval": "30s", "stepWeights": [10, 20, 50]});
        let blue_green = json!({"interval": "30s", "iterations": 4});
        for (phase, analysis, weight, place) in [
            ("Progressing", &steps, 0, Some((0, 3))),
            ("Progressing", &steps, 20, Some((2, 3))),
            ("Progressing", &steps, 45, Some((2, 3))),
            ("Promoting", &steps, 0, Some((3, 3))),
            ("Waiting", &steps, 0, Some((0, 3))),
            ("Progressing", &blue_green, 100, Some((2, 4))),
            ("Succeeded", &steps, 0, None),
        ] {
            let object = json!({"metadata": {"name": "a"}, "spec": {"analysis": analysis},
                "status": {"phase": phase, "iterations": 2, "lastTransitionTime": "2026-01-01T00:00:00Z"}});
            let progress = Canary::from_object(&object).unwrap().progress(weight);
            assert_eq!(progress.map(|progress| (progress.step, progress.steps)), place, "{phase} at {weight}");
            assert_eq!(progress.map(|progress| progress.next_check), place.map(|_| Some(1_767_225_630)), "{phase}");
        }
        let suspended =
            json!({"metadata": {"name": "a"}, "spec": {"suspend": true}, "status": {"phase": "Progressing"}});
        assert_eq!(Canary::from_object(&suspended).unwrap().progress(0), None);
    }
}
