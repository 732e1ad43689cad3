//! People who were there before the rollout, come back and browse: each has one browser, whose cookies last as long as
//! RFC 6265bis lets them. They look at pages, and log in now and then.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{sync::mpsc, task::JoinHandle};

use crate::{
    application::{PAGE, STEPS},
    browser::{Answer, Browser},
    support::wait::until,
    web::{RUNTIME, block_on},
};

/// How many people there are, where nothing else is said.
pub(crate) const PEOPLE: usize = 16;
/// How long somebody stays on a page.
const THINKING: Duration = Duration::from_millis(800);
/// How many pages somebody looks at before the next login.
const PAGES: usize = 7;

/// A page view, or a login: when it began, and each answer.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    pub(crate) at: Instant,
    pub(crate) is_login: bool,
    pub(crate) answers: Vec<Answer>,
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
    /// Lets them come. They are not all of one mind: each begins a little after the one before.
    pub(crate) fn start(traefik: Ipv4Addr, host: &str, people: usize) -> Self {
        let (stop, arrived) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (sender, visits) = mpsc::unbounded_channel();
        let tasks = (0..people).map(|number| {
            let (stop, arrived) = (Arc::clone(&stop), Arc::clone(&arrived));
            let (sender, host) = (sender.clone(), host.to_owned());
            RUNTIME.spawn(async move {
                let number = u32::try_from(number).expect("a few");
                tokio::time::sleep(THINKING * number / u32::try_from(people).expect("a few")).await;
                let mut browser = Browser::new(traefik, host);
                let (mut pages, mut is_new) = (number as usize % PAGES, true);
                while !stop.load(Ordering::Relaxed) {
                    pages = (pages + 1) % PAGES;
                    let (at, is_login) = (Instant::now(), pages == 0);
                    let path = if is_login { STEPS[0] } else { PAGE };
                    // Whoever gets no answer tries again; that logins do not fail is claimed elsewhere.
                    let mut answers = Vec::new();
                    if browser.visit(path, THINKING, &mut answers).await.is_ok() {
                        let _ = sender.send(Visit { at, is_login, answers });
                        arrived.fetch_add(usize::from(std::mem::take(&mut is_new)), Ordering::Relaxed);
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

/// The canary's share of page views while Traefik gave it this weight, and how many page views that were.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Share {
    pub(crate) weight: u64,
    pub(crate) views: usize,
    pub(crate) of_canary: usize,
    /// How many pins began meanwhile.
    pub(crate) pins: usize,
}

impl Share {
    #[expect(clippy::cast_precision_loss, reason = "some hundred page views")]
    pub(crate) fn percent(&self) -> f64 {
        100.0 * self.of_canary as f64 / self.views as f64
    }
}

/// The shares, by the weights that Traefik had one after the other. `weights` says since when it had each.
pub(crate) fn shares(visits: &[Visit], weights: &[(Instant, u64)]) -> Vec<Share> {
    let mut shares: Vec<Share> = Vec::new();
    for (number, (since, weight)) in weights.iter().enumerate() {
        let until = weights.get(number + 1).map(|(next, _)| *next);
        let within = |visit: &&Visit| visit.at >= *since && until.is_none_or(|until| visit.at < until);
        let views = || visits.iter().filter(within).filter(|visit| !visit.is_login);
        let of_canary = views().filter(|visit| visit.answers[0].track == "canary").count();
        let answers = visits.iter().filter(within).flat_map(|visit| &visit.answers);
        let pins = answers.filter(|answer| answer.begins_pin).count();
        shares.push(Share { weight: *weight, views: views().count(), of_canary, pins });
    }
    shares.retain(|share| share.weight > 0 && share.views > 0);
    shares
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
