//! The checks: what browsers saw, compared with what the cluster says.

mod returned;
mod stays;

use super::{
    browser::{Exchange, Sent},
    finding::{Check, Finding, Outcome, Split, TrackCount, Verification},
    jar::Withheld,
    page::Page,
    setup::Setup,
    wilson,
};
use crate::traefik::cookie_value::Track;

/// What a check works on.
struct Evidence<'a> {
    setup: &'a Setup,
    exchanges: &'a [Exchange],
    /// Whether the weights changed meanwhile.
    moved: bool,
    /// Completes a command line of this program.
    command: &'a dyn Fn(&str) -> String,
}

/// Judges what browsers saw, in the order in which they saw it. `moved` says whether the weights changed meanwhile.
/// `command` completes a command line of this program, of which it is given the arguments.
pub fn judge(setup: &Setup, exchanges: &[Exchange], moved: bool, command: &dyn Fn(&str) -> String) -> Verification {
    let evidence = Evidence { setup, exchanges, moved, command };
    let set = evidence.set();
    let is_set = exchanges.iter().any(|exchange| !exchange.received.is_empty());
    let split = evidence.split();
    let rest = [
        (Check::Returned, evidence.returned()),
        (Check::Track, evidence.stays()),
        (Check::Name, evidence.name()),
        (Check::MaxAge, evidence.max_age()),
        (Check::Entry, evidence.entry()),
        (Check::Split, evidence.follows_weights(&split)),
    ];
    let unset = || Outcome::Skipped("no page sets the cookie".into());
    let rest = rest.into_iter().map(|(check, outcome)| (check, if is_set { outcome } else { unset() }));
    Verification {
        checks: std::iter::once((Check::Set, set)).chain(rest).collect(),
        tracks: evidence.tracks(),
        split,
        browsers: exchanges.iter().filter_map(|exchange| exchange.browser).max().map_or(0, |last| last + 1),
        requests: exchanges.len(),
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
    /// Returns the track that answered; `None` if the cookie does not show it. Traefik answers a valid cookie with none of
    /// its own (`pkg/server/service/loadbalancer/sticky.go:StickyHandler`).
    fn served(&self, exchange: &Exchange) -> Option<Served<'a>> {
        let own = exchange.received.iter().find_map(|received| self.setup.track(&received.value));
        match (own, &exchange.sent) {
            (Some(track), _) => Some(Served::Drawn(track)),
            (None, Sent::Value(value)) if exchange.received.is_empty() => self.setup.track(value).map(Served::Pinned),
            _ => None,
        }
    }

    /// Returns whether a request had a valid cookie.
    fn is_pinned(&self, exchange: &Exchange) -> bool {
        matches!(&exchange.sent, Sent::Value(value) if self.setup.track(value).is_some())
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

    fn set(&self) -> Outcome {
        let Setup { service, names, is_live, .. } = self.setup;
        let is_set = self.exchanges.iter().any(|exchange| !exchange.received.is_empty());
        let mut found = Findings::default();
        if !is_set {
            let (message, command) = match (names.first(), self.exchanges.first()) {
                (Some(name), Some(Exchange { page, status, .. })) if *is_live => (
                    format!(
                        "no page sets the cookie `{name}`, although TraefikService `{service}` has it: {page} does not lead \
                         there (status {status})"
                    ),
                    "describe",
                ),
                (Some(name), _) => {
                    (format!("no page sets the cookie `{name}`: TraefikService `{service}` has none"), "sticky apply")
                }
                (None, _) => ("no cookie is declared, and none is live".to_owned(), "sticky set"),
            };
            found.add(message, || Some(self.about_canary(command)));
            return found.outcome();
        }
        let is_without =
            |exchange: &&Exchange| !matches!(exchange.sent, Sent::Value(_)) && exchange.received.is_empty();
        for Exchange { page, status, redirect, .. } in self.exchanges.iter().filter(is_without) {
            let is_upgrade = redirect.as_ref().is_some_and(|to| is_upgrade(page, to));
            if !is_upgrade && self.setup.covers(page) {
                let why = format!(
                    " (status {status}): another route leads around TraefikService `{service}`, or a middleware answers \
                     first"
                );
                found.add_at("the cookie is not set at", page, why, || Some(self.about_canary("describe")));
            }
        }
        found.outcome()
    }

    fn name(&self) -> Outcome {
        let mut found = Findings::default();
        let (canary, name) = (&self.setup.canary, self.setup.names.first().map_or("", String::as_str));
        let free = [format!("{canary}-track"), format!("{canary}-pin")].into_iter().find(|free| free != name);
        for Exchange { page, received, .. } in self.exchanges {
            let others = received.iter().filter(|received| self.setup.track(&received.value).is_none()).count();
            let (before, after) = match (others, received.len() - others) {
                (0, _) => continue,
                (_, 0) => ("a value of neither track is set at", "another TraefikService or the application uses"),
                _ => (
                    "the cookie is set twice, once to a value of neither track, at",
                    "the Service behind it (pod-level stickiness) or the application uses",
                ),
            };
            let fix = || Some(self.set_fields(&format!("--name {}", free.as_deref().unwrap_or("NAME"))));
            found.add_at(before, page, format!(": {after} the name `{name}`, too"), fix);
        }
        found.outcome()
    }

    fn max_age(&self) -> Outcome {
        let flow = self.setup.flow;
        let own = self.exchanges.iter().flat_map(|exchange| &exchange.received);
        let ages = own.filter(|received| self.setup.track(&received.value).is_some()).filter_map(|it| it.max_age);
        let mut found = Findings::default();
        for age in ages.filter(|age| (1..flow).contains(age)) {
            let message = format!(
                "the cookie lives for {age} s (Max-Age), but a flow takes up to {flow} s: users can change \
                 track"
            );
            found.add(message, || Some(self.set_fields(&format!("--max-age {flow}"))));
        }
        found.outcome()
    }

    fn entry(&self) -> Outcome {
        let mut found = Findings::default();
        let mut has_come = false;
        for exchange in self.exchanges.iter().filter(|exchange| self.is_pinned(exchange)) {
            let page = &exchange.page;
            let is_drawn = matches!(self.served(exchange), Some(Served::Drawn(_)));
            if self.setup.is_entry(page) {
                has_come = true;
                if !is_drawn {
                    let before = "a browser with a cookie gets no new one at";
                    found.add_at(before, page, ", where a flow begins".into(), || {
                        Some(self.about_canary("sticky apply"))
                    });
                }
            } else if is_drawn && !self.moved {
                let before = "a browser with a cookie gets a new one at";
                let why = ", where no flow begins: something takes the cookie off the request, such as an entry that is no \
                           longer declared";
                found.add_at(before, page, why.into(), || Some(self.about_canary("sticky apply")));
            }
        }
        match found.outcome() {
            Outcome::Holds if self.setup.entry.is_empty() => Outcome::Skipped("no entry is declared".into()),
            Outcome::Holds if !has_come => Outcome::Skipped("no browser with a cookie came to the entry".into()),
            outcome => outcome,
        }
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
        if self.moved {
            return Outcome::Skipped("the weights changed meanwhile".into());
        }
        let (low, high) = split.interval;
        let mut found = Findings::default();
        if !(low..=high).contains(&expected) {
            let percent = |share: f64| format!("{:.0} %", 100.0 * share);
            let message = format!(
                "the canary was chosen {} of {} times: its share is {} to {} with 99 % confidence, but {} by weight",
                split.canary,
                split.drawn,
                percent(low),
                percent(high),
                percent(expected)
            );
            found.add(message, || Some(self.about_canary("describe")));
        }
        found.outcome()
    }
}

/// Returns whether a redirect leads to the same page over https.
fn is_upgrade(from: &Page, to: &Page) -> bool {
    !from.is_secure && to.is_secure && from.host == to.host && from.path == to.path
}

/// Findings, each once, with the pages that it was made at.
#[derive(Default)]
struct Findings(Vec<Seen>);

/// A finding with its pages; the message is what stands before and behind them.
struct Seen {
    message: (String, String),
    pages: Vec<Page>,
    fix: Option<String>,
    times: usize,
}

impl Findings {
    /// Adds a finding about no page.
    fn add(&mut self, message: String, fix: impl FnOnce() -> Option<String>) -> &mut Seen {
        self.seen((message, String::new()), fix)
    }

    /// Adds a finding at a page, which comes between these texts.
    fn add_at(&mut self, before: &str, page: &Page, after: String, fix: impl FnOnce() -> Option<String>) {
        let seen = self.seen((before.to_owned(), after), fix);
        let page = page.without_query();
        if !seen.pages.contains(&page) {
            seen.pages.push(page);
        }
    }

    fn seen(&mut self, message: (String, String), fix: impl FnOnce() -> Option<String>) -> &mut Seen {
        let place = self.0.iter().position(|seen| seen.message == message).unwrap_or(self.0.len());
        if place == self.0.len() {
            self.0.push(Seen { message, pages: Vec::new(), fix: fix(), times: 0 });
        }
        self.0[place].times += 1;
        &mut self.0[place]
    }

    fn outcome(self) -> Outcome {
        let finding = |Seen { message: (before, after), pages, fix, times }: Seen| {
            let mut message = before;
            if let Some(first) = pages.first() {
                message.push_str(&format!(" {first}"));
            }
            match pages.len() {
                0 | 1 => {}
                2 => message.push_str(" and one more page"),
                all => message.push_str(&format!(" and {} more pages", all - 1)),
            }
            Finding { message: message + &after, fix, times }
        };
        if self.0.is_empty() { Outcome::Holds } else { Outcome::Fails(self.0.into_iter().map(finding).collect()) }
    }
}

#[cfg(test)]
mod tests;
