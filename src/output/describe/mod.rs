//! The description of one Canary, in the style of `kubectl describe`: headings with values, then sections.

mod report;
mod sections;

pub use report::{list, report};

use super::{
    escaped,
    fate::{due, outcome, which},
    show,
    style::{Meaning, Style},
    wrap::{padded, wrapped},
};
use crate::{
    flagger::{Rollout, Strategy, next_write::When},
    lint,
    model::{Owner, owner},
    observed::{Loaded, Protection, State, TraefikServiceState},
    plan::write_effect::{self, WriteEffect},
    traefik::{
        RoutesAndEvents,
        cookie_value::{self, Generation},
    },
};

/// Everything known about one Canary.
#[derive(Debug, Clone)]
pub struct Description {
    /// The Canary and its TraefikService, and whether the guard covers it.
    pub loaded: Loaded,
    /// Routes to the TraefikService, and the last events.
    pub around: RoutesAndEvents,
    /// What is wrong, without notes.
    pub findings: Vec<lint::Finding>,
    /// The namespace assumed for a manifest without one.
    pub namespace: Option<String>,
    /// Current time in Unix seconds.
    pub now: i64,
}

impl Description {
    /// Returns the tool that applies the Canary.
    pub fn owner(&self) -> Option<Owner> {
        owner::of(&self.loaded.canary)
    }

    /// Returns Flagger's next write and its effect on the cookie.
    pub fn fate(&self) -> WriteEffect {
        write_effect::write_effect(&self.loaded.observed)
    }

    /// Returns why Flagger resets the TraefikService, if that is its next write.
    pub fn reset_reasons(&self) -> Vec<String> {
        let is_next = self.fate().next.when == When::Reset;
        if is_next { write_effect::reset_reasons(&self.loaded.observed) } else { Vec::new() }
    }

    /// Returns the Canary's namespace.
    pub fn namespace(&self) -> Option<&str> {
        self.loaded.observed.canary.target.namespace.as_deref().or(self.namespace.as_deref())
    }

    /// Returns the tracks, each with the cookie that pins to it: `login=6756f515e268a8fa`.
    pub fn tracks(&self) -> Vec<(cookie_value::Track, Option<String>)> {
        let name = self.loaded.cookie_name(self.namespace(), false);
        let pinned = |track: cookie_value::Track| {
            let value = track.child.as_ref().map(|child| child.value(Generation::Sha256));
            let cookie = name.as_ref().zip(value).map(|(name, value)| format!("{name}={value}"));
            (track, cookie)
        };
        self.loaded.tracks(self.namespace()).into_iter().map(pinned).collect()
    }
}

/// Column in which the values start.
const VALUES: usize = 17;

/// Formats the description as text of this width; words longer than a line are not broken.
pub fn text(description: &Description, width: usize, style: Style) -> String {
    let page = Page { width: width.max(20), style };
    let observed = &description.loaded.observed;
    let canary = &observed.canary;
    let none = || "<none>".to_owned();
    let mut text = String::new();
    text.push_str(&page.head("Name", &canary.target.name));
    text.push_str(&page.head("Namespace", description.namespace().unwrap_or("<none>")));
    text.push_str(&page.head("Phase", &canary.phase.clone().unwrap_or_else(none)));
    text.push_str(&page.head("Strategy", &strategy(&canary.rollout)));
    text.push_str(&page.head("TraefikService", &service(observed)));
    let owner = description.owner().map(|owner| format!("{owner}: {}", super::owner::policy(&owner, false)));
    text.push_str(&page.head("Applied by", &owner.unwrap_or_else(none)));
    text.push_str(&sections::tracks(description, page));
    text.push_str(&sections::cookie(observed, page));
    if let Some(entry) = show::entry(observed) {
        text.push_str(&page.meant("Entry", &entry, meaning(observed.entry)));
    }
    let meaning = match observed.protection() {
        Protection::Native | Protection::Guard => Some(Meaning::Good),
        Protection::No => Some(Meaning::Warning),
        Protection::Nothing | Protection::Unknown => None,
    };
    text.push_str(&page.meant("Protected", &protection(observed), meaning));
    text.push_str(&page.head("Next write", &next_write(description)));
    text.push_str(&sections::routes(description, page));
    text.push_str(&sections::findings(description, page));
    text.push_str(&sections::events(description, page));
    text
}

/// Returns what a state means to the reader.
fn meaning(state: State) -> Option<Meaning> {
    match state {
        State::Synced => Some(Meaning::Good),
        State::None | State::Pending | State::Unknown => None,
        _ => Some(Meaning::Warning),
    }
}

/// Layout of the page.
#[derive(Debug, Clone, Copy)]
struct Page {
    width: usize,
    style: Style,
}

impl Page {
    /// Formats a heading with its value: `Head: value`.
    fn head(self, head: &str, value: &str) -> String {
        self.meant(head, value, None)
    }

    fn meant(self, head: &str, value: &str, meaning: Option<Meaning>) -> String {
        let indent = VALUES.min(self.width / 2);
        let head = padded(&format!("{head}:"), VALUES.saturating_sub(1));
        let value = wrapped(&escaped(value), self.width, VALUES, indent);
        let value = meaning.map_or_else(|| value.clone(), |meaning| self.style.paint(meaning, &value));
        format!("{head} {value}\n")
    }

    /// Formats an indented line, with continuation lines indented further.
    fn line(self, indent: usize, text: &str) -> String {
        format!("{}{}\n", " ".repeat(indent), wrapped(text, self.width, indent, indent + 2))
    }
}

fn strategy(rollout: &Rollout) -> String {
    let Rollout { interval, iterations, .. } = rollout;
    let text = match rollout.strategy {
        _ if rollout.skips_analysis => "no analysis: straight to the promotion".to_owned(),
        Strategy::Canary => {
            let steps: Vec<_> = rollout.step_weights.iter().map(ToString::to_string).collect();
            let most = rollout.max_weight.unwrap_or(100);
            match rollout.step_weight {
                Some(step) => format!("canary, steps of {step} up to {most}, every {interval}s"),
                None if steps.is_empty() => "canary, without steps".to_owned(),
                None => format!("canary, steps {}, every {interval}s", steps.join(" ")),
            }
        }
        strategy @ (Strategy::AbTesting | Strategy::BlueGreen) => {
            let many = if *iterations == 1 { "iteration" } else { "iterations" };
            format!("{}, {iterations} {many}, every {interval}s", strategy.as_str())
        }
    };
    if rollout.suspended { format!("{text}; suspended") } else { text }
}

fn service(observed: &crate::observed::Observed) -> String {
    let name = observed.canary.service_name.as_deref().unwrap_or("<none>");
    match &observed.service {
        TraefikServiceState::Present(service) => format!("{}/{name}", service.group.as_str()),
        TraefikServiceState::Foreign(service) => match &service.controller {
            Some(owner) => format!("{}/{name}, controlled by {} `{}`", service.group.as_str(), owner.kind, owner.name),
            None => format!("{}/{name}, controlled by something else", service.group.as_str()),
        },
        TraefikServiceState::NotGenerated => match observed.canary.service_problem() {
            Some(problem) => format!("<none>: {problem}"),
            None => format!("{name}, not created yet"),
        },
        TraefikServiceState::NotServed => format!("{name}; the cluster serves no TraefikServices"),
        TraefikServiceState::Forbidden(reason) => format!("<unknown>: {reason}"),
    }
}

fn protection(observed: &crate::observed::Observed) -> String {
    let why = match observed.protection() {
        Protection::Native => ": Flagger itself copies the declared cookie",
        Protection::Guard => ": it puts the declared cookie back into every write",
        Protection::No => ": Flagger's next write removes the cookie",
        Protection::Nothing => "",
        Protection::Unknown if observed.manifest.is_some() => ": local files do not show whether a guard is installed",
        Protection::Unknown => ": no permission to read the guard's objects",
    };
    format!("{}{why}", observed.protection().as_str())
}

fn next_write(description: &Description) -> String {
    let fate = description.fate();
    let mut text = which(fate.next);
    let reasons = description.reset_reasons();
    if !reasons.is_empty() {
        text.push_str(&format!(", because {}", reasons.join(" and ")));
    }
    if let Some(due) = due(fate.next, description.loaded.observed.canary.rollout.interval) {
        text.push_str(&format!(", {due}"));
    }
    if let Some((primary, canary)) = fate.next.weights {
        text.push_str(&format!("; weights {primary}/{canary}"));
    }
    text.push_str(&format!("; {}", outcome(fate)));
    text.push_str(match fate.next.when {
        When::Reset => "; stop whatever applies or changes this TraefikService",
        When::StuckPromotion => "; to end it, set the weights to 99/1",
        _ => "",
    });
    text
}
