//! Users who log in: eight at a time, each login with a cookie jar of its own, following redirects and taking
//! a moment at each page. Which version and which track gave each answer is written down.

use std::{
    collections::BTreeMap,
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http::header;
use testbed::wait::until;
use tokio::{sync::mpsc, task::JoinHandle};

use crate::{
    application::{STEPS, TRACK, VERSION},
    traefik::WEB,
    web::{Connection, RUNTIME, block_on},
};

/// How many log in at a time.
const USERS: usize = 8;
/// How long a user stays on a page.
const THINKING: Duration = Duration::from_millis(250);

/// One login: the version and the track of each answer, and why it broke off, if it did.
#[derive(Debug, Clone, Default)]
pub(crate) struct Login {
    answers: Vec<(String, String)>,
    failure: Option<String>,
}

/// How many logins there were, and what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) logins: usize,
    /// Answers came from both versions, and from both tracks.
    pub(crate) changed_by_routing: usize,
    /// Answers came from both versions on one track: its pods were replaced.
    pub(crate) changed_by_promotion: usize,
    /// Answers of the new version alone.
    pub(crate) new_version: usize,
    pub(crate) failed: usize,
}

impl Count {
    /// How many were answered by both versions, for whatever reason.
    pub(crate) fn changed(&self) -> usize {
        self.changed_by_routing + self.changed_by_promotion
    }
}

/// Users of one site, who go on until they are stopped.
pub(crate) struct Logins {
    stop: Arc<AtomicBool>,
    users: Vec<JoinHandle<()>>,
    done: mpsc::UnboundedReceiver<Login>,
}

impl Logins {
    /// Lets them come as soon as Traefik routes them.
    pub(crate) fn start(traefik: Ipv4Addr, host: &str) -> Self {
        until(&format!("Traefik to route {host}"), || {
            let host = host.to_owned();
            block_on(async move { log_in(traefik, &host, &mut Vec::new(), Duration::ZERO).await }).ok()
        });
        let stop = Arc::new(AtomicBool::new(false));
        let (sender, done) = mpsc::unbounded_channel();
        let users = (0..USERS).map(|_| {
            let (stop, sender, host) = (Arc::clone(&stop), sender.clone(), host.to_owned());
            RUNTIME.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let mut login = Login::default();
                    login.failure = log_in(traefik, &host, &mut login.answers, THINKING).await.err();
                    let _ = sender.send(login);
                }
            })
        });
        let users = users.collect();
        Self { stop, users, done }
    }

    /// Lets those who have begun finish, and returns every login there was.
    pub(crate) fn stop(mut self) -> Vec<Login> {
        self.stop.store(true, Ordering::Relaxed);
        let users = std::mem::take(&mut self.users);
        block_on(async {
            for user in users {
                user.await.expect("a user does not panic");
            }
        });
        std::iter::from_fn(|| self.done.try_recv().ok()).collect()
    }
}

/// Counts what became of these logins. `new` is the version that is rolled out.
pub(crate) fn count(logins: &[Login], new: &str) -> Count {
    let mut count = Count { logins: logins.len(), ..Count::default() };
    for login in logins {
        let differ = |one: fn(&(String, String)) -> &str| {
            login.answers.iter().any(|answer| one(answer) != one(&login.answers[0]))
        };
        if login.failure.is_some() {
            count.failed += 1;
        } else if !differ(|(version, _)| version) {
            count.new_version += usize::from(login.answers[0].0 == new);
        } else if differ(|(_, track)| track) {
            count.changed_by_routing += 1;
        } else {
            count.changed_by_promotion += 1;
        }
    }
    count
}

/// The first reasons why logins broke off.
pub(crate) fn failures(logins: &[Login]) -> Vec<String> {
    logins.iter().filter_map(|login| login.failure.clone()).take(5).collect()
}

async fn log_in(
    traefik: Ipv4Addr,
    host: &str,
    answers: &mut Vec<(String, String)>,
    thinking: Duration,
) -> Result<(), String> {
    let mut connection = Connection::open((traefik, WEB)).await?;
    let mut jar = BTreeMap::new();
    let mut path = STEPS[0].to_owned();
    loop {
        let cookies: Vec<_> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer = connection.get(host, &path, &cookies.join("; ")).await?;
        let text = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (Some(version), Some(track)) = (text(VERSION), text(TRACK)) else {
            return Err(format!("{path}: {} {}", answer.status, String::from_utf8_lossy(&answer.body).trim()));
        };
        answers.push((version, track));
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().ok().and_then(|cookie| cookie.split(';').next());
            if let Some((name, value)) = pair.and_then(|pair| pair.split_once('=')) {
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
        tokio::time::sleep(thinking).await;
        match text("location") {
            Some(next) => path = next,
            None => return Ok(()),
        }
    }
}
