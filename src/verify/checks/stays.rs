//! Whether each browser stays on its track.

use std::collections::BTreeMap;

use super::{Evidence, Exchange, Findings, Outcome, Served, Withheld};
use crate::verify::browser::Sent;

/// A browser that was served by another track than before.
struct Change<'a> {
    browser: usize,
    from: &'a str,
    to: &'a str,
    exchange: &'a Exchange,
}

impl<'a> Evidence<'a> {
    pub(super) fn stays(&self) -> Outcome {
        let changes = self.changes();
        let mut found = Findings::default();
        if let Some(Change { browser, from, to, exchange }) = changes.first() {
            let message = format!(
                "browsers change track; the first change is that of browser {}, from {from} to {to} at {}",
                browser + 1,
                exchange.page
            );
            found.add(message, || None).times = changes.len();
        }
        found.outcome()
    }

    fn changes(&self) -> Vec<Change<'a>> {
        // The track of each browser: on each host, and within its last visit.
        let mut on_host: BTreeMap<(usize, &str), &str> = BTreeMap::new();
        let mut in_visit: BTreeMap<usize, (usize, &str)> = BTreeMap::new();
        let mut changes = Vec::new();
        for exchange in self.exchanges {
            let (Some(browser), Some(served)) = (exchange.browser, self.served(exchange)) else { continue };
            let to = served.track().name.as_str();
            let in_flow = in_visit.get(&browser).filter(|(visit, _)| *visit == exchange.visit).map(|(_, track)| *track);
            let before = in_flow.or_else(|| on_host.get(&(browser, exchange.page.host.as_str())).copied());
            if let Some(from) = before.filter(|from| *from != to && !self.may_change(exchange, served)) {
                changes.push(Change { browser, from, to, exchange });
            }
            on_host.insert((browser, &exchange.page.host), to);
            in_visit.insert(browser, (exchange.visit, to));
        }
        changes
    }

    /// Returns whether a browser may be served by another track than before: where a flow begins, after the cookie has
    /// expired, and when a weight step takes a track away.
    fn may_change(&self, exchange: &Exchange, served: Served<'_>) -> bool {
        let is_drawn = matches!(served, Served::Drawn(_));
        is_drawn && (self.setup.is_entry(&exchange.page) || exchange.sent == Sent::Withheld(Withheld::Expired))
            || self.moved
    }
}
