//! People who were there before the rollout, come back and browse: each has one browser, whose cookies last as long as
//! RFC 6265bis lets them. They look at pages, and log in now and then.

use std::{
    collections::BTreeSet,
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use testbed::wait::until;
use tokio::{sync::mpsc, task::JoinHandle};

use crate::{
    application::{PAGE, STEPS},
    browser::{Answer, Browser},
    web::{RUNTIME, block_on},
};

/// How many people there are, where nothing else is said.
pub(crate) const PEOPLE: usize = 16;
/// How long somebody stays on a page.
const THINKING: Duration = Duration::from_millis(800);
/// Every so many visits are a login, which has four pages.
const PAGES: usize = 7;
/// How long a login takes from its first request to its last one, and the time from one login to the next, in seconds.
pub(crate) const LOGIN: i64 = 3;
pub(crate) const BETWEEN_LOGINS: i64 = 8;

/// A page view, or a login: when it began, and each answer.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    /// Who it was, counted from 0.
    pub(crate) person: u32,
    pub(crate) at: Instant,
    pub(crate) is_login: bool,
    pub(crate) answers: Vec<Answer>,
}

/// Who comes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Crowd {
    /// How many come back, each with one browser.
    pub(crate) returning: usize,
    /// How many log in with a fresh browser each time.
    pub(crate) newcomers: usize,
    /// What their browsers load beside each page that redirects.
    pub(crate) asset: Option<&'static str>,
}

/// People of one site, who go on until they are stopped.
pub(crate) struct People {
    stop: Arc<AtomicBool>,
    /// How many have seen a page.
    arrived: Arc<AtomicUsize>,
    number: usize,
    tasks: Vec<JoinHandle<()>>,
    visits: mpsc::UnboundedReceiver<Visit>,
}

impl People {
    /// Lets so many people come who come back.
    pub(crate) fn start(traefik: Ipv4Addr, host: &str, people: usize) -> Self {
        Self::of(traefik, host, Crowd { returning: people, newcomers: 0, asset: None })
    }

    /// Lets these come. They are not all of one mind: each begins a little after the one before.
    pub(crate) fn of(traefik: Ipv4Addr, host: &str, crowd: Crowd) -> Self {
        let (stop, arrived) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (sender, visits) = mpsc::unbounded_channel();
        let people = crowd.returning + crowd.newcomers;
        let tasks = (0..people).map(|number| {
            let (stop, arrived) = (Arc::clone(&stop), Arc::clone(&arrived));
            let (sender, host) = (sender.clone(), host.to_owned());
            RUNTIME.spawn(async move {
                let is_new = number >= crowd.returning;
                let number = u32::try_from(number).expect("a few");
                tokio::time::sleep(THINKING * number / u32::try_from(people).expect("a few")).await;
                let fresh = || Browser::new(traefik, host.clone()).loading(crowd.asset);
                let mut browser = fresh();
                let (mut pages, mut is_first) = (number as usize % PAGES, true);
                while !stop.load(Ordering::Relaxed) {
                    pages = (pages + 1) % PAGES;
                    let (at, is_login) = (Instant::now(), is_new || pages == 0);
                    let path = if is_login { STEPS[0] } else { PAGE };
                    let mut answers = Vec::new();
                    // Whoever gets no answer tries again; that logins do not fail is claimed elsewhere.
                    if browser.visit(path, THINKING, &mut answers).await.is_ok() {
                        let _ = sender.send(Visit { person: number, at, is_login, answers });
                        arrived.fetch_add(usize::from(std::mem::take(&mut is_first)), Ordering::Relaxed);
                    }
                    if is_new {
                        browser = fresh();
                    }
                }
            })
        });
        let tasks = tasks.collect();
        Self { stop, arrived, number: people, tasks, visits }
    }

    /// Waits until each of them was there.
    pub(crate) fn have_all_come(&self) {
        until("people to come", || (self.arrived.load(Ordering::Relaxed) == self.number).then_some(()));
    }

    /// Lets them finish what they have begun, and returns everything they did.
    pub(crate) fn stop(mut self) -> Vec<Visit> {
        self.stop.store(true, Ordering::Relaxed);
        let tasks = std::mem::take(&mut self.tasks);
        block_on(async {
            for task in tasks {
                task.await.expect("people do not panic");
            }
        });
        std::iter::from_fn(|| self.visits.try_recv().ok()).collect()
    }
}

/// The canary's share of page views in some time, and how many page views that were.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Share {
    pub(crate) weight: u64,
    pub(crate) views: usize,
    pub(crate) of_canary: usize,
    /// How many pins began meanwhile.
    pub(crate) pins: usize,
    /// How many pins people came with.
    pub(crate) held: usize,
}

impl Share {
    fn of(visits: &[Visit], weight: u64, from: Instant, until: Option<Instant>) -> Self {
        let within = |visit: &&Visit| visit.at >= from && until.is_none_or(|until| visit.at < until);
        let mut share = Self { weight, views: 0, of_canary: 0, pins: 0, held: 0 };
        let mut seen = BTreeSet::new();
        for visit in visits.iter().filter(within) {
            share.pins += visit.answers.iter().filter(|answer| answer.begins_pin).count();
            share.held += usize::from(seen.insert(visit.person) && !visit.answers[0].begins_pin);
            if !visit.is_login {
                share.views += 1;
                share.of_canary += usize::from(visit.answers[0].track == "canary");
            }
        }
        share
    }

    #[expect(clippy::cast_precision_loss, reason = "some hundred page views")]
    pub(crate) fn percent(&self) -> f64 {
        100.0 * self.of_canary as f64 / self.views as f64
    }
}

/// The shares, by the weights that Traefik had one after the other. `weights` says since when it had each.
pub(crate) fn shares(visits: &[Visit], weights: &[(Instant, u64)]) -> Vec<Share> {
    let next = |number: usize| weights.get(number + 1).map(|(next, _)| *next);
    let mut shares: Vec<_> = weights
        .iter()
        .enumerate()
        .map(|(number, (since, weight))| Share::of(visits, *weight, *since, next(number)))
        .collect();
    shares.retain(|share| share.weight > 0 && share.views > 0);
    shares
}

/// The shares in the first `interval` of each step, which begins `lag` before Traefik has its weight.
pub(crate) fn step_shares(
    visits: &[Visit],
    weights: &[(Instant, u64)],
    lag: Duration,
    interval: Duration,
) -> Vec<Share> {
    let steps = weights.iter().filter(|(_, weight)| *weight > 0);
    let begins = steps.map(|(since, weight)| (since.checked_sub(lag).expect("the machine runs for longer"), *weight));
    begins.map(|(begin, weight)| Share::of(visits, weight, begin, Some(begin + interval))).collect()
}

/// In how many logins the track changed.
pub(crate) fn rerouted(visits: &[Visit]) -> usize {
    let is_rerouted = |visit: &&Visit| visit.answers.iter().any(|answer| answer.track != visit.answers[0].track);
    visits.iter().filter(|visit| visit.is_login).filter(is_rerouted).count()
}

/// How many logins there were, and in how many the version changed.
pub(crate) fn moved(visits: &[Visit]) -> (usize, usize) {
    let logins = || visits.iter().filter(|visit| visit.is_login);
    let is_moved = |visit: &&Visit| visit.answers.iter().any(|answer| answer.version != visit.answers[0].version);
    (logins().count(), logins().filter(is_moved).count())
}
