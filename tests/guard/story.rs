//! Many pairs of a Canary and a TraefikService at once, each with its own sequence of events, step by step: in
//! each step first what happens to Canaries, and when the policies have seen all of it the writes of
//! TraefikServices, with the policies in an order drawn anew.

use std::fmt::Write as _;

use canary_traefik::model::name::Group;
use http::Method;
use testbed::namespace::Namespace;

use super::{
    cluster::{Cluster, Probe, by_flagger, canaries, each, services},
    event::{Event, Pair, Written},
};

/// So many pairs share a namespace: a write is the slower, the more Canaries are in its own.
const IN_ONE_NAMESPACE: usize = 20;

/// What there is at the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// A Canary without a declaration, and the TraefikService that Flagger made for it.
    Rollout,
    /// Likewise, and the TraefikService is named by `spec.service.name`.
    Named,
    /// Likewise, with a malformed declaration that is older than the guard.
    Older,
    /// A TraefikService that a person made, and no Canary.
    HandWritten,
}

/// One pair and what happens to it.
#[derive(Debug)]
pub(super) struct Story {
    pub(super) pair: Pair,
    pub(super) start: Start,
    pub(super) events: Vec<Event>,
    delay: usize,
    /// The last write.
    pub(super) last: Option<Written>,
    /// The first difference from `guard::decide`.
    pub(super) difference: Option<String>,
}

/// Plays stories: of each the group, the start, what happens, and how many steps later it begins than others, which
/// makes the same story happen under other orders.
pub(super) fn play(cluster: &Cluster, of: impl IntoIterator<Item = (Group, Start, Vec<Event>, usize)>) -> Vec<Story> {
    let mut namespaces = Vec::new();
    let mut stories = Vec::new();
    for (number, (group, start, events, delay)) in of.into_iter().enumerate() {
        if number % IN_ONE_NAMESPACE == 0 {
            namespaces.push(Namespace::on(&cluster.server, "story"));
        }
        let namespace = namespaces.last().expect("there is one").name().to_owned();
        let canary = format!("app-{number}");
        let pair = match start {
            Start::Rollout | Start::HandWritten => Pair { namespace, service: canary.clone(), canary, group },
            Start::Named => Pair { namespace, service: format!("web-{number}"), canary, group },
            Start::Older => {
                let (namespace, canary) = cluster.older_canary();
                Pair { namespace, service: canary.clone(), canary, group }
            }
        };
        stories.push(Story { pair, start, events, delay, last: None, difference: None });
    }
    each(&mut stories, |story| story.begin(cluster));
    let probe = Probe::new(&cluster.server, Group::TraefikIo);
    let steps = stories.iter().map(|story| story.delay + story.events.len()).max().unwrap_or(0);
    for step in 0..steps {
        each(&mut stories, |story| {
            if let Some(event) = story.at(step).filter(|event| !event.is_write()) {
                story.pair.change(cluster, &event);
            }
        });
        probe.settle();
        cluster.redraw();
        each(&mut stories, |story| {
            if let Some(event) = story.at(step).filter(|event| event.is_write() && story.difference.is_none()) {
                let written = story.pair.write(cluster, &event);
                story.difference = written.difference().map(|what| format!("at `{event}`: {what}"));
                story.last = Some(written);
            }
        });
    }
    stories
}

impl Story {
    fn begin(&self, cluster: &Cluster) {
        let path = services(self.pair.group, &self.pair.namespace);
        let owner = match self.start {
            Start::HandWritten => None,
            Start::Older => self.pair.find_canary(cluster),
            Start::Rollout | Start::Named => {
                let canary = self.pair.canary_object(None);
                Some(cluster.server.admin().post(&canaries(&self.pair.namespace), &canary).expect("create a Canary"))
            }
        };
        by_flagger(Method::POST, &path, &self.pair.generated(owner.as_ref())).expect("create a TraefikService");
    }

    /// What happens to it in this step.
    fn at(&self, step: usize) -> Option<Event> {
        self.events.get(step.checked_sub(self.delay)?).cloned()
    }

    /// Everything that happened, a line each.
    pub(super) fn tell(&self) -> String {
        let mut text = format!("{} {}: {:?}\n", self.pair.group.api_version(), self.pair.service, self.start);
        for (number, event) in self.events.iter().enumerate() {
            let _ = writeln!(text, "  {}. {event}", number + 1);
        }
        text
    }
}
