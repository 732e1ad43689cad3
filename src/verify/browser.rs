//! What a browser saw of the cookie at each request.

use super::{
    jar::{Browser, Rejection, Withheld},
    page::Page,
    set_cookie::SetCookie,
};

/// What a browser sent of the cookie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// It has none.
    Nothing,
    /// It has one, which is not for this request.
    Withheld(Withheld),
    /// This value.
    Value(String),
}

/// One `Set-Cookie` of the cookie's name, and whether the browser stored it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The cookie.
    pub cookie: SetCookie,
    /// Whether the browser stored it.
    pub stored: Result<(), Rejection>,
}

/// A request of a browser, with what matters of its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Which browser, counted from 0; `None` for one that comes this once, without cookies.
    pub browser: Option<usize>,
    /// Which visit of this browser, counted from 0. The redirects of a page belong to its visit.
    pub visit: usize,
    /// The page.
    pub page: Page,
    /// The status of the answer.
    pub status: u16,
    /// What was sent of the cookie.
    pub sent: Sent,
    /// What the answer set of it.
    pub received: Vec<Received>,
    /// Where the answer redirects to.
    pub redirect: Option<Page>,
}

/// What an answer says to a browser. Headers need not be ASCII, nor any other encoding: each character of these texts stands
/// for one byte, see [`super::header`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The values of its `Set-Cookie` headers.
    pub set_cookies: Vec<String>,
    /// The value of its `Location` header.
    pub location: Option<String>,
}

impl Browser {
    /// Takes in the answer of a page, and returns what the browser saw of the cookie of these names. The request has the
    /// cookies of [`Browser::cookies`] at the same time.
    pub fn take(&mut self, answer: &Answer, page: &Page, names: &[String], now: i64) -> Exchange {
        let sent = match self.value(names, page, now) {
            Some(value) => Sent::Value(value.to_owned()),
            None => self.withheld(names, page, now).map_or(Sent::Nothing, Sent::Withheld),
        };
        let mut received = Vec::new();
        for cookie in answer.set_cookies.iter().filter_map(|text| SetCookie::parse(text)) {
            let stored = self.store(&cookie, page, now);
            if names.contains(&cookie.name) {
                received.push(Received { cookie, stored });
            }
        }
        let redirect = answer.location.as_deref().filter(|_| (300..400).contains(&answer.status));
        Exchange {
            browser: None,
            visit: 0,
            page: page.clone(),
            status: answer.status,
            sent,
            received,
            redirect: redirect.and_then(|location| page.redirect(location)),
        }
    }
}
