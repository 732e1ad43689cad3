//! The visits of browsers: page after page, no faster than the rate, and each redirect within the hosts under test.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::{
    context::Context,
    error::{Error, Result},
    verify::{Browser, Exchange, Page, Setup},
    web::{Site, Web},
};

/// The most redirects that follow each other, as in most browsers' limit of 20.
const REDIRECTS: usize = 20;
/// The most pages that are also asked for without cookies.
const PROBES: usize = 50;

/// When browsers stop.
#[derive(Debug, Clone, Copy)]
pub(super) enum Until {
    /// After so many pages each.
    Pages(usize),
    /// After this time.
    Time(Duration),
}

/// All visits.
pub(super) struct Visits<'a> {
    ctx: &'a Context,
    web: &'a Web,
    setup: &'a Setup,
    ticks: Interval,
    began: Instant,
    exchanges: Vec<Exchange>,
}

/// A browser with its connections, by scheme, host and port.
#[derive(Default)]
struct Visitor {
    browser: Browser,
    sites: BTreeMap<String, Site>,
}

impl<'a> Visits<'a> {
    pub(super) fn new(ctx: &'a Context, web: &'a Web, setup: &'a Setup, rate: u32) -> Self {
        let mut ticks = interval(Duration::from_secs(1) / rate);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { ctx, web, setup, ticks, began: Instant::now(), exchanges: Vec::new() }
    }

    /// Lets browsers come one after the other, again and again, and then asks once for each page without cookies. Returns
    /// all they saw.
    ///
    /// # Errors
    ///
    /// A page does not answer.
    pub(super) async fn all(mut self, browsers: usize, until: Until) -> Result<Vec<Exchange>> {
        let mut visitors: Vec<_> = (0..browsers).map(|_| Visitor::default()).collect();
        'visits: for (visit, page) in self.setup.pages.iter().cycle().enumerate() {
            for (number, visitor) in visitors.iter_mut().enumerate() {
                let is_over = match until {
                    Until::Pages(most) => visit >= most,
                    Until::Time(time) => self.began.elapsed() >= time,
                };
                if is_over {
                    break 'visits;
                }
                self.visit(visitor, Some(number), visit, page).await?;
            }
        }
        self.probe().await?;
        self.ctx.ui.clear_status();
        Ok(self.exchanges)
    }

    /// Opens a page and follows its redirects.
    async fn visit(&mut self, visitor: &mut Visitor, browser: Option<usize>, visit: usize, page: &Page) -> Result<()> {
        let mut page = page.clone();
        for _ in 0..=REDIRECTS {
            let exchange = self.get(visitor, &page).await?;
            let next = exchange.redirect.clone().filter(|next| self.setup.has_host(&next.host));
            self.exchanges.push(Exchange { browser, visit, ..exchange });
            match next {
                Some(next) => page = next,
                None => return Ok(()),
            }
        }
        Err(Error::cluster(format!("{page} redirects again and again")).hint("--url with another page"))
    }

    /// Asks for each page that was seen, once and without cookies: whoever has none must get one.
    async fn probe(&mut self) -> Result<()> {
        let seen: BTreeSet<_> = self.exchanges.iter().map(|exchange| exchange.page.without_query()).collect();
        for page in seen.into_iter().take(PROBES) {
            let exchange = self.get(&mut Visitor::default(), &page).await?;
            self.exchanges.push(exchange);
        }
        Ok(())
    }

    async fn get(&mut self, visitor: &mut Visitor, page: &Page) -> Result<Exchange> {
        self.ticks.tick().await;
        self.ctx.ui.waiting(&format!("{} requests so far, now {page}", self.exchanges.len()));
        let Visitor { browser, sites } = visitor;
        let site = match sites.entry(page.origin()) {
            std::collections::btree_map::Entry::Occupied(site) => site.into_mut(),
            std::collections::btree_map::Entry::Vacant(free) => free.insert(self.web.site(page)?),
        };
        let elapsed = i64::try_from(self.began.elapsed().as_secs()).unwrap_or(i64::MAX);
        let now = self.ctx.now.saturating_add(elapsed);
        let answer = site.get(page, &browser.cookies(page, now)).await.map_err(|error| error.about(page))?;
        Ok(browser.take(&answer, page, &self.setup.names, now))
    }
}
