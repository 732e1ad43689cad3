//! Writes confirmed changes and resolves conflicts: Flagger and others write to the same objects.

use std::{
    hash::{BuildHasher, RandomState},
    time::{Duration, Instant},
};

use futures_util::future::join;
use serde_json::Value;

use super::{
    prepared::{Prepared, keeps_changing, result},
    refusal::{is_reverted, reverted_error},
};
use crate::{
    apiserver::Failure,
    cluster::Cluster,
    commands::args::WriteArgs,
    error::{Error, Kind, Result},
    model::ObjectKind,
    observed::{Guarded, Loaded},
    plan::{Action, Confirmed, CookieChange, Plan, Scope, Sides, Step},
};

/// Maximum number of conflicts that are resolved without asking.
pub(super) const ATTEMPTS: u32 = 40;

/// How long a server may answer with a different cookie than was written before that is an error; a guard that uses a
/// slightly old Canary does so.
const SETTLING: Duration = Duration::from_secs(5);

/// The part of a change that is stored so far.
pub(super) struct Stored {
    before: Sides,
    after: Sides,
    /// One entry per object: the patch, and the object as stored by the server.
    steps: Vec<(Step, Value)>,
    /// Whether the guard protects the result.
    guarded: Guarded,
}

impl Stored {
    /// Returns an empty record for this plan.
    pub(super) fn nothing_of(plan: &Plan) -> Self {
        Self { before: plan.before.clone(), after: plan.before.clone(), steps: Vec::new(), guarded: Guarded::Unknown }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    fn add(&mut self, plan: &Plan, step: &Step, object: Value) {
        let known = self.steps.iter_mut().find(|(known, _)| known.object == step.object);
        let is_first = known.is_none();
        match known {
            Some((_, known)) => *known = object,
            None => self.steps.push((step.clone(), object)),
        }
        // An undo has to restore what others wrote before our first write.
        match step.object.kind {
            ObjectKind::Canary => {
                if is_first {
                    self.before.declared.clone_from(&plan.before.declared);
                }
                self.after.declared.clone_from(&plan.after.declared);
            }
            ObjectKind::TraefikService(_) => {
                if is_first {
                    self.before.live.cookie.clone_from(&plan.before.live.cookie);
                }
                self.after.live.cookie.clone_from(&plan.after.live.cookie);
            }
            _ => {
                if is_first {
                    self.before.live.entry.clone_from(&plan.before.live.entry);
                }
                self.after.live.entry.clone_from(&plan.after.live.entry);
            }
        }
    }

    /// Converts the record into a plan that was carried out.
    pub(super) fn into_prepared(self, loaded: Loaded, scope: Scope) -> Prepared {
        let (steps, after) = self.steps.into_iter().unzip();
        let why_service_not_changed = Plan::why_not_changed(&loaded, scope);
        let target = loaded.observed.canary.target.clone();
        let (before, after_all) = (self.before, self.after);
        let plan = Plan { target, before, after: after_all, steps, why_service_not_changed, notes: Vec::new() };
        Prepared { loaded, plan, after, guarded: self.guarded }
    }
}

/// Writes the patches of a confirmed plan one after the other, and records in `stored` what the server stored.
///
/// After a conflict, everything is read and planned again. The same change from the same values was confirmed and
/// continues; a different one has to be shown. Returns the state last read, and whether everything is stored.
pub(super) async fn write(
    server: &Cluster,
    mut loaded: Loaded,
    agreed: Confirmed<Plan>,
    args: &WriteArgs,
    scope: Scope,
    change: &CookieChange,
    stored: &mut Stored,
) -> Result<(Loaded, bool)> {
    let mut left = agreed;
    let began = Instant::now();
    for attempt in 0..ATTEMPTS {
        match write_steps(server, &loaded, &left, args.force_conflicts, stored).await? {
            Written::All if !rests_on_what_was_read(left.agreed()) => return Ok((loaded, true)),
            // The declaration was only read, so the server has not checked its resource version.
            Written::All => {}
            Written::Stale => pause(Duration::from_millis(u64::from(attempt).min(20) * 10)).await,
            Written::Otherwise { .. } if began.elapsed() < SETTLING => pause(Duration::from_millis(200)).await,
            Written::Otherwise { is_reverted: true } if scope == Scope::LiveOnly => return Err(reverted_error()),
            Written::Otherwise { .. } => {
                return Err(Error::new(Kind::Conflict, "the server stored a different cookie than was written")
                    .caused_by("an admission policy or webhook changes it")
                    .hint_command("kubectl get mutatingadmissionpolicies,mutatingwebhookconfigurations", ""));
            }
        }
        loaded = server.load(&loaded.observed.canary.target, super::reading(change.needs(), scope)).await?;
        let plan = Plan::new(&loaded, &change.on(&loaded)?, scope)?;
        if plan.is_empty() {
            if stored.guarded == Guarded::Unknown {
                stored.guarded = server.guarded(&loaded.observed).await;
            }
            return Ok((loaded, true));
        }
        match left.rest(plan) {
            Some(rest) => left = rest,
            None => return Ok((loaded, false)),
        }
    }
    Err(keeps_changing(&loaded))
}

/// Returns whether what was written follows from something that was only read: from the declaration, or from the routes.
/// A declaration that is written is checked by the server, and what is left over from one that is gone is deleted in any
/// case.
fn rests_on_what_was_read(plan: &Plan) -> bool {
    let declares = plan.steps.iter().any(|step| step.object.kind == ObjectKind::Canary);
    plan.steps.iter().any(|step| match step.action {
        Action::Patch(_) => !declares,
        Action::Apply(_) => true,
        Action::Delete => false,
    })
}

enum Written {
    All,
    /// An object was changed or deleted since it was read.
    Stale,
    /// The server stored something else; `is_reverted` if it is the declared cookie.
    Otherwise {
        is_reverted: bool,
    },
}

/// Writes the steps. To save a round trip, asks alongside the last patch whether the guard protects the result.
async fn write_steps(
    server: &Cluster,
    loaded: &Loaded,
    left: &Confirmed<Plan>,
    force: bool,
    stored: &mut Stored,
) -> Result<Written> {
    let plan = left.agreed();
    let last = plan.steps.len().saturating_sub(1);
    for (index, write) in left.writes().enumerate() {
        let step = write.step();
        let answer = if index == last {
            let after: Vec<_> = plan.steps.iter().map(Step::after).collect();
            let result = result(loaded, plan, &after).observed;
            let (answer, guarded) = join(server.write(write, force), server.guarded(&result)).await;
            stored.guarded = guarded;
            answer
        } else {
            server.write(write, force).await
        };
        match answer {
            Ok(object) if step.is_satisfied_by(&object) => stored.add(plan, step, object),
            Ok(object) => {
                return Ok(Written::Otherwise { is_reverted: is_reverted(loaded, step, &object) });
            }
            Err(failure) if is_stale(&failure) => return Ok(Written::Stale),
            Err(failure) => return Err(failure.into()),
        }
    }
    Ok(Written::All)
}

/// Returns whether an object was changed, created or deleted since it was read, so that reading it again helps.
pub(super) fn is_stale(failure: &Failure) -> bool {
    (failure.is_conflict() && !failure.is_field_conflict()) || failure.is_not_found()
}

/// Sleeps for about this long, with jitter.
pub(super) async fn pause(base: Duration) {
    let noise = RandomState::new().hash_one(0) % 40;
    tokio::time::sleep(base + Duration::from_millis(noise)).await;
}
