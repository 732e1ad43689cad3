//! The visits of browsers: page after page, no faster than the rate, and each redirect within the hosts under test.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    time::{Duration, Instant},
};

use tokio::time::{Interval, MissedTickBehavior, interval};

use super::{Site, Web};
use crate::{
    error::{Error, Result},
    verify::{Browser, Exchange, Page, Setup},
};

/// The most redirects that follow each other, as in most browsers' limit of 20.
const REDIRECTS: usize = 20;
/// The most pages that are also asked for without cookies.
const PROBES: usize = 50;
/// The most requests: what was seen of them is kept in memory.
pub(crate) const MOST: usize = 100_000;

/// When browsers stop.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    /// After so many pages each.
    Pages(usize),
    /// After this time.
    Time(Duration),
}

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The requests, in their order.
    pub exchanges: Vec<Exchange>,
    /// Why the browsers did not get to the end, if a page did not answer.
    pub ended: Option<Error>,
    /// Whether the browsers stopped because there were too many requests.
    pub is_cut: bool,
}

/// All visits.
pub(crate) struct Visits<'a> {
    web: &'a Web,
    setup: &'a Setup,
    /// Is told, before each request, what is being waited for.
    waiting: &'a (dyn Fn(&str) + Sync),
    /// The time at the beginning, in Unix seconds.
    now: i64,
    /// The sites by scheme, host and port.
    sites: BTreeMap<String, Site>,
    ticks: Interval,
    began: Instant,
    seen: Seen,
}

impl<'a> Visits<'a> {
    /// Creates visits at this rate per second, which begin now, in Unix seconds. `waiting` is told what is being waited for.
    pub(crate) fn new(web: &'a Web, setup: &'a Setup, rate: u32, now: i64, waiting: &'a (dyn Fn(&str) + Sync)) -> Self {
        let mut ticks = interval(Duration::from_secs(1) / rate);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (sites, began) = (BTreeMap::new(), Instant::now());
        Self { web, setup, waiting, now, sites, ticks, began, seen: Seen::default() }
    }

    /// Asks for each page without cookies, lets browsers come one after the other, again and again, and then asks without
    /// cookies for what they came to. Returns what was seen until the time limit, if there is one.
    pub(crate) async fn all(mut self, browsers: usize, until: Until, limit: Option<Duration>) -> Result<Seen> {
        for page in &self.setup.pages {
            self.probe(page).await?;
        }
        let left = limit.map_or(Duration::MAX, |limit| limit.saturating_sub(self.began.elapsed()));
        let ended = tokio::time::timeout(left, self.browse(browsers, until)).await;
        self.seen.ended = ended.ok().and_then(Result::err);
        Ok(self.seen)
    }

    async fn browse(&mut self, browsers: usize, until: Until) -> Result<()> {
        let mut all = vec![Browser::default(); browsers];
        'visits: for (visit, page) in self.setup.pages.iter().cycle().enumerate() {
            for (number, browser) in all.iter_mut().enumerate() {
                let is_over = match until {
                    Until::Pages(most) => visit >= most,
                    Until::Time(time) => self.began.elapsed() >= time,
                };
                if is_over {
                    break 'visits;
                }
                if self.seen.exchanges.len() >= MOST {
                    self.seen.is_cut = true;
                    break 'visits;
                }
                self.visit(browser, number, visit, page).await?;
            }
        }
        let mut pages: BTreeSet<_> = self.seen.exchanges.iter().map(|exchange| exchange.page.clone()).collect();
        for page in &self.setup.pages {
            pages.remove(&page.without_query());
        }
        for page in pages.into_iter().take(PROBES) {
            self.probe(&page).await?;
        }
        Ok(())
    }

    /// Opens a page and follows its redirects.
    async fn visit(&mut self, browser: &mut Browser, number: usize, visit: usize, page: &Page) -> Result<()> {
        let mut page = page.clone();
        for redirects in 0..=REDIRECTS {
            // Each visit begins with a connection that is closed, so that all replicas of Traefik have their turn.
            let exchange = self.get(browser, &page, redirects == 0).await?;
            let next = exchange.redirect.clone().filter(|next| self.setup.has_host(&next.host));
            self.keep(Exchange { browser: Some(number), visit, ..exchange });
            match next {
                Some(next) => page = next,
                None => return Ok(()),
            }
        }
        Err(Error::cluster(format!("{page} redirects in a loop")).hint("use --url with another page"))
    }

    /// Asks for a page without cookies: whoever has none must get one.
    async fn probe(&mut self, page: &Page) -> Result<()> {
        let exchange = self.get(&mut Browser::default(), page, true).await?;
        self.keep(exchange);
        Ok(())
    }

    /// Keeps what was seen. Queries are not needed, and can be long.
    fn keep(&mut self, exchange: Exchange) {
        let Exchange { page, redirect, .. } = &exchange;
        let (page, redirect) = (page.without_query(), redirect.as_ref().map(Page::without_query));
        self.seen.exchanges.push(Exchange { page, redirect, ..exchange });
    }

    async fn get(&mut self, browser: &mut Browser, page: &Page, is_last: bool) -> Result<Exchange> {
        self.ticks.tick().await;
        (self.waiting)(&format!("{} requests so far, now {page}", self.seen.exchanges.len()));
        let site = match self.sites.entry(page.origin()) {
            Entry::Occupied(site) => site.into_mut(),
            Entry::Vacant(free) => free.insert(self.web.site(page)?),
        };
        let elapsed = i64::try_from(self.began.elapsed().as_secs()).unwrap_or(i64::MAX);
        let now = self.now.saturating_add(elapsed);
        let answer = site.get(page, &browser.cookies(page, now), is_last).await.map_err(|error| error.about(page))?;
        Ok(browser.take(&answer, page, &self.setup.names, now))
    }
}
