//! Whether each browser stays on its track.

use std::collections::BTreeMap;

use super::{Evidence, Exchange, Findings, Outcome, Served};
use crate::verify::{browser::Sent, jar::Withheld};

/// A browser that was served by another track than before.
struct Change<'a> {
    browser: usize,
    from: &'a str,
    to: &'a str,
    exchange: &'a Exchange,
}

impl<'a> Evidence<'a> {
    pub(super) fn stays(&self) -> Outcome {
        let (changes, stayed) = self.changes();
        let mut found = Findings::default();
        if let Some(Change { browser, from, to, exchange }) = changes.first() {
            let message = format!(
                "browsers change track; first: browser {}, from {from} to {to} at {}",
                browser + 1,
                exchange.page
            );
            found.add(message, || None).times = changes.len();
        }
        let unseen = self.moved.or(Some("no browser with a track opened another page"));
        found.outcome(unseen.filter(|_| stayed == 0))
    }

    /// Returns the changes of track, and how often a browser stayed on its track where it had to.
    fn changes(&self) -> (Vec<Change<'a>>, usize) {
        // The track of each browser: on each host, and within its last visit.
        let mut on_host: BTreeMap<(usize, &str), &str> = BTreeMap::new();
        let mut in_visit: BTreeMap<usize, (usize, &str)> = BTreeMap::new();
        let (mut changes, mut stayed) = (Vec::new(), 0);
        for &exchange in &self.exchanges {
            let (Some(browser), Some(served)) = (exchange.browser, self.served(exchange)) else { continue };
            let to = served.track().name.as_str();
            let in_flow = in_visit.get(&browser).filter(|(visit, _)| *visit == exchange.visit).map(|(_, track)| *track);
            let before = in_flow.or_else(|| on_host.get(&(browser, exchange.page.host.as_str())).copied());
            match before {
                Some(from) if !self.may_change(exchange, served) => {
                    if from == to {
                        stayed += 1;
                    } else {
                        changes.push(Change { browser, from, to, exchange });
                    }
                }
                _ => {}
            }
            on_host.insert((browser, &exchange.page.host), to);
            in_visit.insert(browser, (exchange.visit, to));
        }
        (changes, stayed)
    }

    /// Returns whether a browser may be served by another track than before: where a flow begins, after the cookie has
    /// expired, and when a weight step takes a track away.
    fn may_change(&self, exchange: &Exchange, served: Served<'_>) -> bool {
        let is_drawn = matches!(served, Served::Drawn(_));
        is_drawn && (self.setup.is_entry(&exchange.page) || exchange.sent == Sent::Withheld(Withheld::Expired))
            || self.moved.is_some()
    }
}
