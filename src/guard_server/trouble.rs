//! Classification of failed repairs: a problem of one object, or of all repairs.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::{
    apiserver::{Failure, Verb},
    error::Result,
    guard_server::{
        Log,
        queue::{Outcome, PendingRepair},
    },
    model::{ObjectKind, ObjectRef, name::Group},
};

/// Grace period for an API server that has just started, which denies requests until it has read its RBAC.
const DENIED_FOR: Duration = Duration::from_secs(30);

/// A failed repair.
pub(super) struct Failed {
    /// The verb of the failed call.
    pub(super) verb: Verb,
    /// The object of the failed call.
    pub(super) object: Box<ObjectRef>,
    /// The failure.
    pub(super) failure: Failure,
    /// Whether this process lacks permission for the call.
    pub(super) lacks_right: bool,
}

impl Failed {
    pub(super) fn of(verb: Verb, object: &ObjectRef) -> impl Fn(Failure) -> Self {
        move |failure| Self { verb, object: Box::new(object.clone()), failure, lacks_right: false }
    }
}

/// Problems that affect all repairs.
#[derive(Default)]
pub(super) struct FailureState {
    /// Whether the unreachable server has been logged.
    is_away_told: bool,
    /// Time since which this process lacks a permission.
    denied: Option<Instant>,
}

impl FailureState {
    /// Classifies the result of a repair.
    ///
    /// # Errors
    ///
    /// This process has lacked a permission for too long.
    pub(super) fn classify(
        &mut self,
        log: &Log,
        key: &ObjectRef,
        lost: &PendingRepair,
        result: std::result::Result<(), Failed>,
    ) -> Result<Outcome> {
        let Err(Failed { verb, failure, lacks_right, .. }) = result else {
            (self.denied, self.is_away_told) = (None, false);
            return Ok(Outcome::Done);
        };
        // If the legacy group may not be read, it is not in use.
        let legacy = ObjectKind::TraefikService(Group::TraefikContainoUs);
        let is_of_no_use = verb == Verb::Get && key.kind == legacy && failure.is_denied();
        // It was changed or deleted concurrently: the watch will deliver that.
        if failure.is_conflict() || failure.is_not_found() || failure.is_no_such_resource() || is_of_no_use {
            return Ok(Outcome::Done);
        }
        if !lacks_right {
            self.denied = None;
        } else if self.denied.get_or_insert_with(Instant::now).elapsed() > DENIED_FOR {
            return Err(failure.into());
        }
        let is_away = !matches!(failure, Failure::Status(..));
        let is_news = if is_away { !std::mem::replace(&mut self.is_away_told, true) } else { lost.tries == 0 };
        if is_news {
            let fields = [("name", json!(key.target.to_string())), ("reason", json!(failure.into_log_message()))];
            log.warning("repair failed, retrying", &fields);
        }
        // A missing permission affects all namespaces alike, so none is marked as troubled.
        Ok(if is_away || lacks_right { Outcome::Unreachable } else { Outcome::Refused })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{apiserver::status::Refusal, error::Error, model::NamespacedName};

    #[test]
    fn only_a_right_that_is_missing_for_half_a_minute_ends_the_repairs() {
        let log = Log::new(crate::guard_server::LogFormat::Text, |_| {});
        let key = ObjectRef {
            kind: ObjectKind::TraefikService(Group::TraefikIo),
            target: NamespacedName { namespace: Some("web".into()), name: "shop".into() },
        };
        let lost = PendingRepair { tries: 9, ..PendingRepair::due(Instant::now()) };
        let object = || Box::new(key.clone());
        let refused = |code: u16, lacks_right: bool| {
            let failure = Failure::Status(Box::new(Refusal { code, ..Refusal::default() }), Error::cluster("no"));
            Err(Failed { verb: Verb::Patch, object: object(), failure, lacks_right })
        };
        let long_ago = Instant::now().checked_sub(DENIED_FOR * 2);
        let classify = |denied: Option<Instant>, result| {
            let mut troubles = FailureState { denied, ..FailureState::default() };
            troubles.classify(&log, &key, &lost, result).map_err(|error| error.kind())
        };
        // Any answer of another policy or webhook, for any length of time.
        for code in [403, 422, 500, 400, 413] {
            assert_eq!(classify(long_ago, refused(code, false)), Ok(Outcome::Refused), "{code}");
        }
        assert_eq!(classify(None, refused(403, true)), Ok(Outcome::Unreachable));
        assert_eq!(classify(long_ago, refused(403, true)), Err(crate::error::Kind::Cluster));
        for code in [404, 409] {
            assert_eq!(classify(long_ago, refused(code, false)), Ok(Outcome::Done), "{code}");
        }
        let silent = Failure::Other(Error::cluster("no answer"));
        let silent = Err(Failed { verb: Verb::Get, object: object(), failure: silent, lacks_right: false });
        assert_eq!(classify(long_ago, silent), Ok(Outcome::Unreachable));
        assert_eq!(classify(long_ago, Ok(())), Ok(Outcome::Done));
    }
}
