//! Lint rules: one file per rule in `rules/`, one row per rule in `RULES` of `rules/mod.rs`. Pure; findings are data.
//!
//! A rule looks at one Canary, and at what is around it as far as that is known ([`Scene`]). What is not known is never
//! a finding.

mod environments;
mod place;
mod redirect;
mod reference;
mod rules;
mod scene;
mod subject;

use std::{collections::HashSet, fmt};

pub use self::{
    environments::{ByFile, Environments, Identity, nearest},
    place::{Origin, Place, Position},
    rules::RULES,
    scene::{Known, Scene, Seen, TrackService},
};
use self::{rules::Problem, subject::Subject};
use crate::{
    model::NamespacedName,
    observed::{Manifest, Observed},
};

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The cookie does not work.
    Error,
    /// The cookie works, but not as users expect.
    Warning,
    /// Worth knowing. Only `lint` shows it.
    Info,
}

impl Severity {
    /// Returns the word to print.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a rule has to know besides the Canary and its TraefikService.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// The other Canaries.
    Canaries,
    /// The routes, and the other TraefikServices.
    Routes,
    /// The version or the arguments of Traefik.
    Traefik,
    /// The Services of the two tracks.
    Services,
}

/// A rule. Its code never changes its meaning.
#[derive(Debug)]
pub struct Rule {
    /// `CT` and three digits.
    pub code: &'static str,
    /// The highest severity of its findings.
    pub severity: Severity,
    /// What it finds, in one line.
    pub title: &'static str,
    /// Why that is a problem.
    pub why: &'static str,
    /// Manifests with the problem. Fields that do not matter are left out.
    pub bad: &'static str,
    /// What to replace in it by what, in this order, so that the problem is gone.
    pub mended: &'static [(&'static str, &'static str)],
    /// What to do about it.
    pub fix: &'static str,
    /// Where the facts come from.
    pub source: &'static str,
    /// What it has to know.
    pub needs: &'static [Need],
    check: fn(Subject<'_>) -> Vec<Problem>,
}

impl Rule {
    /// Returns the manifests without the problem.
    pub fn good(&self) -> String {
        self.mended.iter().fold(self.bad.to_owned(), |text, (wrong, right)| text.replacen(wrong, right, 1))
    }

    /// Returns the rule with this code, in whatever case.
    pub fn of(code: &str) -> Option<&'static Self> {
        RULES.iter().find(|rule| rule.code.eq_ignore_ascii_case(code))
    }
}

/// A problem with one Canary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule's code.
    pub code: &'static str,
    /// The severity.
    pub severity: Severity,
    /// The Canary.
    pub target: NamespacedName,
    /// The problem.
    pub message: String,
    /// The fix.
    pub help: String,
    /// What it is about.
    pub place: Place,
    /// The manifest that the Canary was read from.
    pub manifest: Option<Manifest>,
}

impl Scene<'_> {
    /// Checks one Canary against every rule.
    pub fn check(&self, observed: &Observed) -> Vec<Finding> {
        let to_service = self.leading_to(observed);
        let subject = Subject { observed, scene: self, to_service: &to_service };
        let (mut findings, mut seen) = (Vec::new(), HashSet::new());
        for rule in RULES {
            for problem in (rule.check)(subject) {
                // Several references of one route, or two routes alike, are one problem.
                let Place { origin, path, offset, .. } = &problem.place;
                let number = origin.as_ref().map(|origin| origin.number);
                if !seen.insert((rule.code, problem.message.clone(), number, path.clone(), *offset)) {
                    continue;
                }
                findings.push(Finding {
                    code: rule.code,
                    severity: problem.severity.unwrap_or(rule.severity),
                    target: observed.canary.target.clone(),
                    message: problem.message,
                    help: problem.help,
                    place: problem.place,
                    manifest: observed.manifest.clone(),
                });
            }
        }
        findings
    }
}

/// Checks one Canary against every rule that needs nothing else. Notes are left out.
pub fn check(observed: &Observed) -> Vec<Finding> {
    let mut findings = Scene::default().check(observed);
    findings.retain(|finding| finding.severity != Severity::Info);
    findings
}
