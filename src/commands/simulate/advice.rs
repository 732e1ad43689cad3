//! What to type and to write for a rollout in which nothing is wrong.

use super::{DEFAULT_FLOW, SimulateArgs, flow};
use crate::{
    context::Context,
    flagger::Canary,
    output::simulation,
    plan::purpose::seconds,
    simulate::{self, Pin, Setup},
    source::Source,
    text::quoted,
};

/// What `/login` is in a command: only the user knows the path.
const PATH: &str = " (/login is an example: use the path where your logins begin)";

/// What commands and changes are about.
pub(super) struct Advice<'a> {
    pub(super) ctx: &'a Context,
    pub(super) source: &'a Source,
    pub(super) args: &'a SimulateArgs,
    pub(super) canary: &'a Canary,
    /// The Canary's own set-up.
    pub(super) own: &'a Setup,
}

impl Advice<'_> {
    /// Returns the changes to the Canary for a rollout as in this set-up, or in a better one if something is wrong with
    /// it. Empty if nothing has to be changed.
    pub(super) fn text(&self, setup: &Setup) -> String {
        let better = simulate::improved(setup);
        let is_good = better == *setup;
        let changes = self.changes(&better);
        if changes.is_empty() {
            return String::new();
        }
        let aim = if is_good { "to get this rollout" } else { "to fix that" };
        let path = if better.entry && !self.own.entry { PATH } else { "" };
        let mut text = format!("{aim}{path}:\n");
        text.extend(changes.iter().map(|change| format!("  {change}\n")));
        if !is_good {
            let line = format!("simulate {}{}", quoted(&self.args.canary.name), self.flags(&better));
            text.push_str(&format!("to see the result: {}\n", self.command(&line)));
        }
        text
    }

    /// Returns what makes this set-up the Canary's own.
    fn changes(&self, setup: &Setup) -> Vec<String> {
        let (name, own) = (quoted(&self.args.canary.name), self.own);
        let mut changes = Vec::new();
        if setup.pin != own.pin && setup.pin == Pin::Nothing {
            changes.push(self.command(&format!("sticky remove {name}")));
        } else if (setup.pin, setup.entry) != (own.pin, own.entry) {
            let mut line = format!("sticky set {name}");
            match setup.pin {
                Pin::For(age) if setup.pin != own.pin => line.push_str(&format!(" --max-age {}", seconds(age))),
                Pin::Session if setup.pin != own.pin => line.push_str(" --max-age 0"),
                _ => {}
            }
            match setup.entry {
                true if !own.entry => line.push_str(" --entry /login"),
                false if own.entry => line.push_str(" --unset entry"),
                _ => {}
            }
            changes.push(self.command(&line));
        }
        if setup.interval != own.interval {
            changes.push(format!("set spec.analysis.interval: {}", seconds(setup.interval)));
        }
        if setup.steps != own.steps {
            let rollout = &self.canary.rollout;
            let others = [("stepWeight", rollout.step_weight.is_some()), ("iterations", rollout.iterations > 0)];
            let without: String =
                others.iter().filter(|(_, is_set)| *is_set).map(|(key, _)| format!(", without {key}")).collect();
            changes
                .push(format!("set spec.analysis.stepWeights: [{}]{without}", simulation::steps(&setup.steps, ", ")));
        }
        changes
    }

    /// Returns the flags that simulate this set-up.
    fn flags(&self, setup: &Setup) -> String {
        let own = self.own;
        let mut flags = String::new();
        if setup.pin != own.pin {
            flags.push_str(&match setup.pin {
                Pin::Nothing => " --max-age=-1".to_owned(),
                Pin::For(age) => format!(" --max-age {}", seconds(age)),
                Pin::Session => " --max-age 0".to_owned(),
            });
        }
        if flow(DEFAULT_FLOW) != Ok(setup.flow) {
            flags.push_str(&format!(" --flow {}", seconds(setup.flow)));
        }
        if setup.steps != own.steps {
            flags.push_str(&format!(" --steps {}", simulation::steps(&setup.steps, ",")));
        }
        if setup.interval != own.interval {
            flags.push_str(&format!(" --interval {}", seconds(setup.interval)));
        }
        if setup.entry != own.entry {
            flags.push_str(if setup.entry { " --entry" } else { " --entry=false" });
        }
        flags
    }

    /// Returns a command line of this program for the same Canary, in the same cluster or files.
    fn command(&self, line: &str) -> String {
        match self.source {
            Source::Cluster(cluster) => self.ctx.command(line, &self.canary.target, cluster.api().namespace()),
            Source::Files(_) => {
                let namespace = self.ctx.namespace().map_or_else(String::new, |name| format!(" -n {}", quoted(name)));
                self.args.canary.files.command(line) + &namespace
            }
        }
    }
}
