//! The checks: what browsers saw, compared with what the cluster says.

mod findings;
mod is_set;
mod returned;
mod stays;

use std::collections::BTreeSet;

use self::findings::Findings;
use super::{
    binomial,
    browser::{Exchange, Received, Sent},
    finding::{Check, Outcome, Split, TrackCount, Verification},
    page::Page,
    setup::Setup,
    wilson,
};
use crate::traefik::cookie_value::{Generation, Track};

/// How unlikely a split must be to count as wrong: ten runs in a row without a single false alarm succeed in 9,999 of 10,000
/// cases.
const UNLIKELY: f64 = 1e-5;

/// What a check works on.
struct Evidence<'a> {
    setup: &'a Setup,
    /// Without redirects from http to https, behind which a flow begins.
    exchanges: Vec<&'a Exchange>,
    /// The pages behind these redirects, if browsers were to open what redirects there.
    behind: BTreeSet<&'a Page>,
    /// The values of cookies that pin to a track.
    values: Vec<(String, &'a Track)>,
    /// Host and path of the pages that set the cookie.
    own_pages: BTreeSet<(&'a str, &'a str)>,
    /// Why the weights may have changed meanwhile, if so.
    moved: Option<&'a str>,
    /// Completes a command line of this program.
    command: &'a dyn Fn(&str) -> String,
}

/// Judges what browsers saw, in the order in which they saw it. `moved` says why the weights may have changed meanwhile.
/// `command` completes a command line of this program, of which it is given the arguments.
pub fn judge(
    setup: &Setup,
    exchanges: &[Exchange],
    moved: Option<&str>,
    command: &dyn Fn(&str) -> String,
) -> Verification {
    let evidence = Evidence::new(setup, exchanges, moved, command);
    let split = evidence.split();
    let unset = "no page sets the cookie";
    let is_set = !evidence.own_pages.is_empty();
    let when_set = |outcome: Outcome| if is_set { outcome } else { Outcome::Skipped(unset.into()) };
    Verification {
        checks: vec![
            (Check::Set, evidence.is_set()),
            (Check::Returned, when_set(evidence.returned())),
            (Check::Track, when_set(evidence.stays())),
            (Check::Name, evidence.name((!is_set).then_some(unset))),
            (Check::MaxAge, when_set(evidence.max_age())),
            (Check::Entry, when_set(evidence.entry())),
            (Check::Split, when_set(evidence.follows_weights(&split))),
        ],
        tracks: evidence.tracks(),
        split,
        browsers: exchanges.iter().filter_map(|exchange| exchange.browser).max().map_or(0, |last| last + 1),
        requests: exchanges.len(),
        ended: None,
    }
}

/// Which track answered, as the cookie shows.
#[derive(Clone, Copy)]
enum Served<'a> {
    /// Traefik chose it for this request.
    Drawn(&'a Track),
    /// The cookie pins to it.
    Pinned(&'a Track),
}

impl<'a> Served<'a> {
    fn track(self) -> &'a Track {
        let (Self::Drawn(track) | Self::Pinned(track)) = self;
        track
    }
}

impl<'a> Evidence<'a> {
    fn new(
        setup: &'a Setup,
        exchanges: &'a [Exchange],
        moved: Option<&'a str>,
        command: &'a dyn Fn(&str) -> String,
    ) -> Self {
        let behind = |exchange: &'a Exchange| {
            let Exchange { page, redirect, .. } = exchange;
            redirect.as_ref().filter(|to| !page.is_secure && to.is_secure && page.host == to.host)
        };
        let opened = exchanges.iter().filter(|exchange| setup.opens(&exchange.page));
        let values = setup.tracks.iter().flat_map(|track| {
            let children = [&track.child, &track.safe_child].into_iter().flatten();
            children.flat_map(move |child| Generation::ALL.map(|generation| (child.value(generation), track)))
        });
        let mut evidence = Self {
            setup,
            exchanges: exchanges.iter().filter(|exchange| behind(exchange).is_none()).collect(),
            behind: opened.filter_map(behind).collect(),
            values: values.collect(),
            own_pages: BTreeSet::new(),
            moved,
            command,
        };
        let is_own = |exchange: &&Exchange| evidence.own(exchange).next().is_some();
        let own = evidence.exchanges.iter().copied().filter(is_own);
        evidence.own_pages = own.map(|Exchange { page, .. }| (page.host.as_str(), page.path.as_str())).collect();
        evidence
    }

    /// Returns the track that a value pins to.
    fn track(&self, value: &str) -> Option<&'a Track> {
        self.values.iter().find(|(own, _)| own == value).map(|(_, track)| *track)
    }

    /// Returns what an answer set that pins to a track.
    fn own<'e>(&self, exchange: &'e Exchange) -> impl Iterator<Item = &'e Received> {
        exchange.received.iter().filter(|received| self.track(&received.cookie.value).is_some())
    }

    /// Returns whether a page is the TraefikService's: it sets the cookie for whoever has none.
    fn is_own(&self, page: &Page) -> bool {
        self.own_pages.contains(&(page.host.as_str(), page.path.as_str()))
    }

    /// Returns the track that answered; `None` if the cookie does not show it. Traefik answers a valid cookie with none of
    /// its own (`pkg/server/service/loadbalancer/sticky.go:StickyHandler`), as does whatever else serves a page.
    fn served(&self, exchange: &Exchange) -> Option<Served<'a>> {
        match (self.own(exchange).next(), &exchange.sent) {
            (Some(own), _) => self.track(&own.cookie.value).map(Served::Drawn),
            (None, Sent::Value(value)) if exchange.received.is_empty() && self.is_own(&exchange.page) => {
                self.track(value).map(Served::Pinned)
            }
            _ => None,
        }
    }

    /// Returns whether a request had a valid cookie.
    fn is_pinned(&self, exchange: &Exchange) -> bool {
        matches!(&exchange.sent, Sent::Value(value) if self.track(value).is_some())
    }

    /// Returns the command that sets fields of the cookie.
    fn set_fields(&self, flags: &str) -> String {
        (self.command)(&format!("sticky set {} {flags}", self.setup.canary))
    }

    fn about_canary(&self, command: &str) -> String {
        (self.command)(&format!("{command} {}", self.setup.canary))
    }

    fn tracks(&self) -> Vec<TrackCount> {
        let served: Vec<_> = self.exchanges.iter().filter_map(|exchange| self.served(exchange)).collect();
        let count = |track: &Track| {
            let own = || served.iter().filter(|served| served.track().name == track.name);
            TrackCount {
                name: track.name.clone(),
                weight: track.weight,
                pins: own().filter(|served| matches!(served, Served::Drawn(_))).count(),
                requests: own().count(),
            }
        };
        self.setup.tracks.iter().map(count).collect()
    }

    fn name(&self, unseen: Option<&str>) -> Outcome {
        let mut found = Findings::default();
        let (canary, name) = (&self.setup.canary, self.setup.names.first().map_or("", String::as_str));
        let free = [format!("{canary}-track"), format!("{canary}-pin")].into_iter().find(|free| free != name);
        for exchange @ Exchange { page, received, .. } in &self.exchanges {
            let own = self.own(exchange).count();
            let (before, after) = match (received.len() - own, own) {
                (0, _) => continue,
                (_, 0) => (
                    "the cookie gets a value that belongs to neither track at",
                    "another TraefikService or the application uses",
                ),
                _ => (
                    "the cookie is set twice, once to a value that belongs to neither track, at",
                    "the Service behind it (pod-level stickiness) or the application uses",
                ),
            };
            let fix = || Some(self.set_fields(&format!("--name {}", free.as_deref().unwrap_or("NAME"))));
            found.add_at(before, page, format!(": {after} the name `{name}`, too"), fix);
        }
        found.outcome(unseen)
    }

    fn max_age(&self) -> Outcome {
        let flow = self.setup.flow;
        let ages = self.exchanges.iter().flat_map(|exchange| self.own(exchange)).filter_map(|own| own.cookie.max_age);
        let short: Vec<_> = ages.filter(|age| (1..flow).contains(age)).collect();
        let mut found = Findings::default();
        if let Some(age) = short.iter().min() {
            let message = format!(
                "the cookie lives for {age} s (Max-Age), but a flow takes up to {flow} s: users can change \
                 track"
            );
            found.add(message, || Some(self.set_fields(&format!("--max-age {flow}")))).times = short.len();
        }
        found.outcome(None)
    }

    fn entry(&self) -> Outcome {
        let mut found = Findings::default();
        let mut has_come = false;
        for exchange in self.exchanges.iter().filter(|exchange| self.is_pinned(exchange)) {
            let page = &exchange.page;
            let is_drawn = matches!(self.served(exchange), Some(Served::Drawn(_)));
            if self.setup.is_entry(page) && self.is_own(page) {
                has_come = true;
                if !is_drawn {
                    let before = "a browser with a cookie gets no new one at";
                    found.add_at(before, page, ", where a flow begins".into(), || {
                        Some(self.about_canary("sticky apply"))
                    });
                }
            } else if is_drawn && self.moved.is_none() {
                let before = "a browser with a cookie gets a new one at";
                let why = ", where no flow begins: something removes the cookie from the request, such as an entry that is no \
                           longer declared";
                found.add_at(before, page, why.into(), || Some(self.about_canary("sticky apply")));
            }
        }
        found.outcome(match self.setup.entry.as_slice() {
            [] => Some("no entry is declared"),
            _ if !has_come => Some("no browser with a cookie came to the entry"),
            _ => None,
        })
    }

    fn split(&self) -> Split {
        let drawn = self.exchanges.iter().filter_map(|exchange| match self.served(exchange)? {
            Served::Drawn(track) => Some(track.name == "canary"),
            Served::Pinned(_) => None,
        });
        let (mut canary, mut all) = (0, 0);
        for is_canary in drawn {
            canary += usize::from(is_canary);
            all += 1;
        }
        let interval = wilson::interval(canary, all, wilson::Z_99);
        Split { canary, drawn: all, interval, expected: self.setup.share() }
    }

    fn follows_weights(&self, split: &Split) -> Outcome {
        let Some(expected) = split.expected else { return Outcome::Skipped("the weights are not known".into()) };
        if let Some(reason) = self.moved {
            return Outcome::Skipped(reason.into());
        }
        let mut found = Findings::default();
        if binomial::p_value(split.canary, split.drawn, expected) < UNLIKELY {
            let message = format!(
                "the canary was chosen {} of {} times, but has {:.0} % of the weight; by chance, this happens less than once \
                 in 100,000 runs",
                split.canary,
                split.drawn,
                100.0 * expected,
            );
            found.add(message, || Some(self.about_canary("describe")));
        }
        found.outcome(None)
    }
}

#[cfg(test)]
mod tests;
