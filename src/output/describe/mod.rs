//! The whole picture of one Canary, as `kubectl describe` would give it: heads with their values, then sections.

mod report;
mod sections;

pub use report::report;

use super::{
    escaped,
    fate::{due, outcome, which},
    style::{Meaning, Style},
    wrap::{padded, wrapped},
};
use crate::{
    lint,
    model::{Kept, Loaded, Owner, Rollout, Service, Strategy, Surroundings, owner, pin},
    plan::fate::{self, Fate},
};

/// Everything that is known of one Canary.
#[derive(Debug, Clone)]
pub struct Description {
    /// The Canary and its TraefikService, and whether the guard covers it.
    pub loaded: Loaded,
    /// What leads to the TraefikService, and the last events.
    pub around: Surroundings,
    /// The namespace that a manifest without one is meant for.
    pub namespace: Option<String>,
    /// Now, in seconds since 1970.
    pub now: i64,
}

impl Description {
    /// Who applies the Canary.
    pub fn owner(&self) -> Option<Owner> {
        owner::of(&self.loaded.canary)
    }

    /// Flagger's next write and what it does to the stanza.
    pub fn fate(&self) -> Fate {
        fate::fate(&self.loaded.observed)
    }

    /// What is wrong.
    pub fn findings(&self) -> Vec<lint::Finding> {
        lint::check(&self.loaded.observed)
    }

    /// The Canary's namespace.
    pub fn namespace(&self) -> Option<&str> {
        self.loaded.observed.canary.target.namespace.as_deref().or(self.namespace.as_deref())
    }

    /// The tracks, each with the cookie that pins to it: `login=6756f515e268a8fa`.
    pub fn tracks(&self) -> Vec<(pin::Track, Option<String>)> {
        let observed = &self.loaded.observed;
        let cookie = observed.live_cookie().or_else(|| observed.canary.declared.cookie());
        let service = observed.canary.service_name.as_deref().unwrap_or_default();
        let name = cookie.and_then(|cookie| pin::cookie_name(cookie, self.namespace(), service));
        let pinned = |track: pin::Track| {
            let cookie = name.as_ref().zip(track.value.as_ref()).map(|(name, value)| format!("{name}={value}"));
            (track, cookie)
        };
        pin::tracks(&self.loaded, self.namespace()).into_iter().map(pinned).collect()
    }
}

/// Where the values after the heads begin.
const VALUES: usize = 17;

/// The description as text in lines of this width; words longer than a line stay whole.
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
    let owner = description.owner().map(|owner| format!("{owner}: {}", super::owner::habit(&owner, false)));
    text.push_str(&page.head("Applied by", &owner.unwrap_or_else(none)));
    text.push_str(&sections::tracks(description, page));
    text.push_str(&sections::cookie(observed, page));
    let meaning = match observed.kept() {
        Kept::Native | Kept::Guard => Some(Meaning::Good),
        Kept::No => Some(Meaning::Warning),
        Kept::Nothing | Kept::Unknown => None,
    };
    text.push_str(&page.meant("Kept", &kept(observed), meaning));
    text.push_str(&page.head("Next write", &next_write(description)));
    text.push_str(&sections::routes(description, page));
    text.push_str(&sections::findings(description, page));
    text.push_str(&sections::events(description, page));
    text
}

/// How the page is laid out.
#[derive(Debug, Clone, Copy)]
struct Page {
    width: usize,
    style: Style,
}

impl Page {
    /// `Head:   value`
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

    /// A line of its own, and what it goes on in.
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

fn service(observed: &crate::model::Observed) -> String {
    let name = observed.canary.service_name.as_deref().unwrap_or("<none>");
    match &observed.service {
        Service::Present(service) => format!("{}/{name}", service.group.as_str()),
        Service::Foreign(service) => match &service.controller {
            Some(owner) => format!("{}/{name}, controlled by {} `{}`", service.group.as_str(), owner.kind, owner.name),
            None => format!("{}/{name}, controlled by something else", service.group.as_str()),
        },
        Service::NotGenerated => match observed.canary.service_problem() {
            Some(problem) => format!("<none>: {problem}"),
            None => format!("{name}, not generated yet"),
        },
        Service::NotServed => format!("{name}; the cluster serves no TraefikServices"),
        Service::Forbidden(reason) => format!("<unknown>: {reason}"),
    }
}

fn kept(observed: &crate::model::Observed) -> String {
    let why = match observed.kept() {
        Kept::Native => ": Flagger itself copies what is declared",
        Kept::Guard => ": admission re-adds what is declared inside each write",
        Kept::No => ": nothing keeps it",
        Kept::Nothing => "",
        Kept::Unknown => ": whether there is a guard cannot be seen",
    };
    format!("{}{why}", observed.kept())
}

fn next_write(description: &Description) -> String {
    let fate = description.fate();
    let mut text = which(fate.next);
    if let Some(due) = due(fate.next, description.loaded.observed.canary.rollout.interval) {
        text.push_str(&format!(", {due}"));
    }
    if let Some((primary, canary)) = fate.next.weights {
        text.push_str(&format!("; weights {primary}/{canary}"));
    }
    format!("{text}; {}", outcome(fate))
}
