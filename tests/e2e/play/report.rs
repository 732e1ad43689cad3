//! What became of the customers in a rollout, as the playground prints it.

use std::{fmt, time::Instant};

use crate::people::Visit;

/// Less of the logins is not worth a word, in percent; as in `simulate`.
const NOTABLE: f64 = 1.0;

/// What became of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Report {
    pub(crate) logins: usize,
    /// How many logins were answered by both versions, because routing moved them.
    pub(crate) by_routing: usize,
    /// The same, because the promotion replaced the pods.
    pub(crate) by_promotion: usize,
    pub(crate) steps: Vec<Step>,
}

/// What they saw while the canary had one weight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) weight: u64,
    /// Page views of those who come back: on the canary, and all.
    pub(crate) views: (usize, usize),
    /// Logins that began there: on the canary, and all.
    pub(crate) logins: (usize, usize),
}

/// What is wrong with a set-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bad {
    Routing,
    Promotion,
    Starved,
}

impl Report {
    /// `weights` says since when the canary had which weight in Traefik, in percent.
    pub(crate) fn of(visits: &[Visit], weights: &[(Instant, u64)]) -> Self {
        let mut report = Self::default();
        for visit in visits.iter().filter(|visit| visit.is_login) {
            let first = &visit.answers[0];
            let changes_version = visit.answers.iter().any(|answer| answer.version != first.version);
            let changes_track = visit.answers.iter().any(|answer| answer.track != first.track);
            report.logins += 1;
            report.by_routing += usize::from(changes_version && changes_track);
            report.by_promotion += usize::from(changes_version && !changes_track);
        }
        for (number, (since, weight)) in weights.iter().enumerate().filter(|(_, (_, weight))| *weight > 0) {
            let until = weights.get(number + 1).map(|(next, _)| *next);
            let within = |visit: &&Visit| visit.at >= *since && until.is_none_or(|until| visit.at < until);
            let mut step = Step { weight: *weight, ..Step::default() };
            for visit in visits.iter().filter(within) {
                // Whoever is new does nothing but log in.
                let (of_canary, all) = if visit.is_login { &mut step.logins } else { &mut step.views };
                *of_canary += usize::from(visit.answers[0].track == "canary");
                *all += 1;
            }
            report.steps.push(step);
        }
        report
    }

    /// What is wrong with the set-up, by the rules of `simulate`.
    pub(crate) fn bad(&self) -> Vec<Bad> {
        let (seen, wanted) = self.seen_and_wanted();
        let bad = [
            (Bad::Routing, percent((self.by_routing, self.logins)) >= NOTABLE),
            (Bad::Promotion, percent((self.by_promotion, self.logins)) >= NOTABLE),
            (Bad::Starved, seen * 2.0 < wanted),
        ];
        bad.into_iter().filter(|(_, is_so)| *is_so).map(|(bad, _)| bad).collect()
    }

    /// The canary's share of the page views of those who come back, and its weight, in percent as means over the steps.
    #[expect(clippy::cast_precision_loss, reason = "weights and a few steps")]
    fn seen_and_wanted(&self) -> (f64, f64) {
        let steps = self.steps.iter().filter(|step| step.views.1 > 0);
        let (sums, count) = steps.fold(((0.0, 0.0), 0), |((seen, wanted), count), step| {
            ((seen + percent(step.views), wanted + step.weight as f64), count + 1)
        });
        let mean = |sum: f64| if count == 0 { 0.0 } else { sum / f64::from(count) };
        (mean(sums.0), mean(sums.1))
    }
}

#[expect(clippy::cast_precision_loss, reason = "some thousand page views")]
fn percent((part, all): (usize, usize)) -> f64 {
    if all == 0 { 0.0 } else { 100.0 * part as f64 / all as f64 }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} logins, {} changed version because routing moved them, {} because the promotion replaced their pods",
            self.logins, self.by_routing, self.by_promotion
        )?;
        let mut row = |title: &str, cell: fn(&Step) -> String| {
            let cells: String = self.steps.iter().map(|step| format!("{:>7}", cell(step))).collect();
            writeln!(f, "  {title:<36}{cells}")
        };
        row("the canary's weight", |step| step.weight.to_string())?;
        row("its share of returning users' pages", |step| format!("{:.0} %", percent(step.views)))?;
        row("its share of logins", |step| format!("{:.0} %", percent(step.logins)))?;
        let (seen, wanted) = self.seen_and_wanted();
        for bad in self.bad() {
            match bad {
                Bad::Routing => {
                    let moved = percent((self.by_routing, self.logins));
                    writeln!(f, "  bad: routing broke {moved:.0} % of the logins")?;
                }
                Bad::Promotion => {
                    let moved = percent((self.by_promotion, self.logins));
                    writeln!(f, "  bad: the promotion broke {moved:.0} % of the logins")?;
                }
                Bad::Starved => writeln!(
                    f,
                    "  bad: returning users saw the canary in {seen:.0} % of their pages, instead of {wanted:.0} %"
                )?,
            }
        }
        Ok(())
    }
}
