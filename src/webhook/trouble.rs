//! What it means when a repair fails: for this one object, or for all.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{
    Log,
    queue::{Ended, Key, Lost},
};
use crate::{
    cluster::{Call, Failure, Verb},
    error::Result,
    model::name::Group,
    plan::{ObjectKind, ObjectRef},
};

/// A server that has just started refuses what it will allow once it has read its own roles.
const DENIED_FOR: Duration = Duration::from_secs(30);

/// A repair that did not come about.
pub(super) struct Failed {
    /// What was asked for.
    pub(super) verb: Verb,
    /// Why not.
    pub(super) failure: Failure,
    /// Whether this process has no right to it.
    pub(super) lacks_right: bool,
}

impl Failed {
    pub(super) fn of(verb: Verb) -> impl Fn(Failure) -> Self {
        move |failure| Self { verb, failure, lacks_right: false }
    }
}

/// What stands in the way of all repairs.
#[derive(Default)]
pub(super) struct Troubles {
    /// Whether it was told that the server does not answer.
    is_away_told: bool,
    /// Since when this process lacks its rights.
    denied: Option<Instant>,
}

impl Troubles {
    /// What becomes of a repair that was tried.
    ///
    /// # Errors
    ///
    /// This process no longer has its rights.
    pub(super) fn judge(
        &mut self,
        log: &Log,
        key: &Key,
        lost: &Lost,
        result: std::result::Result<(), Failed>,
    ) -> Result<Ended> {
        let Err(Failed { verb, failure, lacks_right }) = result else {
            (self.denied, self.is_away_told) = (None, false);
            return Ok(Ended::Done);
        };
        // A group that this process may not read is one that is not in use.
        let is_of_no_use = verb == Verb::Get && key.group == Group::TraefikContainoUs && failure.is_denied();
        // Another wrote in between, or it is gone: the watch tells.
        if failure.is_conflict() || failure.is_not_found() || failure.is_no_such_resource() || is_of_no_use {
            return Ok(Ended::Done);
        }
        let object = ObjectRef { kind: ObjectKind::TraefikService(key.group), target: key.target.clone() };
        let call = Call::of(verb, &object);
        if !lacks_right {
            self.denied = None;
        } else if self.denied.get_or_insert_with(Instant::now).elapsed() > DENIED_FOR {
            return Err(failure.into_error(&call));
        }
        let is_away = !matches!(failure, Failure::Status(_));
        let is_news = if is_away { !std::mem::replace(&mut self.is_away_told, true) } else { lost.tries == 0 };
        if is_news {
            let fields = [("name", json!(key.target.to_string())), ("reason", json!(failure.in_words(&call)))];
            log.warning("cannot repair, trying again", &fields);
        }
        // Who lacks its rights will have them back for all namespaces at once.
        Ok(if is_away || lacks_right { Ended::Away } else { Ended::Refused })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cluster::Refusal, error::Error, model::Target};

    #[test]
    fn only_a_right_that_is_missing_for_half_a_minute_ends_the_repairs() {
        let log = Log::new(crate::webhook::LogFormat::Text, |_| {});
        let key =
            Key { group: Group::TraefikIo, target: Target { namespace: Some("web".into()), name: "shop".into() } };
        let lost = Lost { object: None, is_loss: true, seen: Instant::now(), before: Duration::ZERO, tries: 9 };
        let refused = |code: u16, lacks_right: bool| {
            let failure = Failure::Status(Box::new(Refusal { code, ..Refusal::default() }));
            Err(Failed { verb: Verb::Patch, failure, lacks_right })
        };
        let long_ago = Instant::now().checked_sub(DENIED_FOR * 2);
        let judge = |denied: Option<Instant>, result| {
            let mut troubles = Troubles { denied, ..Troubles::default() };
            troubles.judge(&log, &key, &lost, result).map_err(|error| error.kind())
        };
        // Whatever a policy or a webhook of others answers, and for however long.
        for code in [403, 422, 500, 400, 413] {
            assert_eq!(judge(long_ago, refused(code, false)), Ok(Ended::Refused), "{code}");
        }
        assert_eq!(judge(None, refused(403, true)), Ok(Ended::Away));
        assert_eq!(judge(long_ago, refused(403, true)), Err(crate::error::Kind::Cluster));
        for code in [404, 409] {
            assert_eq!(judge(long_ago, refused(code, false)), Ok(Ended::Done), "{code}");
        }
        let silent = Failure::Timeout(Error::cluster("no answer"));
        let silent = Err(Failed { verb: Verb::Get, failure: silent, lacks_right: false });
        assert_eq!(judge(long_ago, silent), Ok(Ended::Away));
        assert_eq!(judge(long_ago, Ok(())), Ok(Ended::Done));
    }
}
