//! The canary's weight in the course of a rollout, and its means.

/// The canary's weight, step by step. Before the first step it is 0.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Course {
    /// For each step, when Traefik begins to use its weight, in seconds, and the weight, in percent.
    changes: Vec<(f64, f64)>,
    /// Length of a step in seconds; positive.
    interval: f64,
    /// Seconds from the beginning of a step until Traefik uses its weight; no longer than a step.
    lag: f64,
}

impl Course {
    pub(super) fn new(weights: Vec<f64>, interval: f64, lag: f64) -> Self {
        let lag = lag.min(interval);
        let begins = std::iter::successors(Some(0.0), |begin| Some(begin + interval));
        let changes = begins.map(|begin| begin + lag).zip(weights).collect();
        Self { changes, interval, lag }
    }

    /// Returns when each step begins, in seconds.
    pub(super) fn begins(&self) -> impl Iterator<Item = f64> {
        self.changes.iter().map(|(since, _)| since - self.lag)
    }

    /// Returns when the last step ends, in seconds.
    pub(super) fn end(&self) -> f64 {
        self.begins().last().map_or(0.0, |begin| begin + self.interval)
    }

    /// Returns the weight at this time.
    pub(super) fn at(&self, time: f64) -> f64 {
        self.changes.iter().rev().find(|(since, _)| *since <= time).map_or(0.0, |(_, weight)| *weight)
    }

    /// Returns the mean weight between two times, neither after the end.
    pub(super) fn mean(&self, from: f64, to: f64) -> f64 {
        // What is rounded must not leave its bounds.
        ((self.integrated(to) - self.integrated(from)) / (to - from)).clamp(0.0, self.at(to))
    }

    /// Returns the mean weight from `oldest` to `youngest` seconds before this time; the weight itself if both are 0.
    pub(super) fn mean_before(&self, time: f64, youngest: f64, oldest: f64) -> f64 {
        match oldest {
            0.0 => self.at(time),
            f64::INFINITY => 0.0,
            _ => self.mean(time - oldest, time - youngest),
        }
    }

    /// Returns the mean, over the step that begins at this time, of the weights from `oldest` to `youngest` seconds before;
    /// of the weights themselves if both are 0.
    pub(super) fn step_mean(&self, begin: f64, youngest: f64, oldest: f64) -> f64 {
        let end = begin + self.interval;
        match oldest {
            0.0 => self.mean(begin, end),
            f64::INFINITY => 0.0,
            _ => {
                // A mean over means is a difference of double integrals.
                let over = |from: f64| self.twice_integrated(from + self.interval) - self.twice_integrated(from);
                let mean = (over(begin - youngest) - over(begin - oldest)) / (self.interval * (oldest - youngest));
                mean.clamp(0.0, self.at(begin + self.lag))
            }
        }
    }

    fn integrated(&self, end: f64) -> f64 {
        self.changes.iter().map(|(since, weight)| weight * (end - since).clamp(0.0, self.interval)).sum()
    }

    fn twice_integrated(&self, end: f64) -> f64 {
        let area = |(since, weight): &(f64, f64)| {
            // What a step adds to the integral stays, and is integrated from then on.
            let time = (end - since).max(0.0);
            let within = time.min(self.interval);
            weight * (within * within / 2.0 + self.interval * (time - within))
        };
        self.changes.iter().map(area).sum()
    }
}
