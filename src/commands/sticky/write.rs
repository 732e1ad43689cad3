//! Writing what was agreed to, through conflicts: Flagger and others write the same objects meanwhile.

use std::{
    hash::{BuildHasher, RandomState},
    time::{Duration, Instant},
};

use futures_util::future::join;
use serde_json::Value;

use super::{
    Wished,
    prepared::{Prepared, keeps_changing, result},
    refusal::{is_turned_back, turned_back},
};
use crate::{
    cluster::{Call, Cluster, Verb},
    error::{Error, Kind, Result},
    model::{Guarded, Loaded},
    plan::{Confirmed, ObjectKind, Plan, Scope, Sides, Step},
};

/// How often a conflict is settled quietly.
pub(super) const ATTEMPTS: u32 = 40;

/// How long a server may answer with something else than was written (a guard that works from a slightly old
/// Canary does) before that is an error.
const SETTLING: Duration = Duration::from_secs(5);

/// How writing ended.
pub(super) enum Outcome {
    /// All of it is stored; this was seen last.
    Done(Box<Loaded>),
    /// The objects changed so that the plan became another one; these are they.
    Changed(Box<Loaded>),
}

/// What is stored of a change so far, whatever comes of the rest.
pub(super) struct Stored {
    before: Sides,
    after: Sides,
    /// One an object: the patch, and the object as the server stored it.
    steps: Vec<(Step, Value)>,
    /// Whether the guard keeps the result.
    guarded: Guarded,
}

impl Stored {
    /// Nothing yet of this plan.
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
        // What others made of it before our first write is what an undo has to bring back.
        match step.object.kind {
            ObjectKind::Canary => {
                if is_first {
                    self.before.declared.clone_from(&plan.before.declared);
                }
                self.after.declared.clone_from(&plan.after.declared);
            }
            ObjectKind::TraefikService(_) => {
                if is_first {
                    self.before.live.clone_from(&plan.before.live);
                }
                self.after.live.clone_from(&plan.after.live);
            }
        }
    }

    /// As a plan that was carried out.
    pub(super) fn into_prepared(self, loaded: Loaded, scope: Scope) -> Prepared {
        let (steps, after) = self.steps.into_iter().unzip();
        let stanza_left = Plan::why_left(&loaded, scope);
        let target = loaded.observed.canary.target.clone();
        let plan = Plan { target, before: self.before, after: self.after, steps, stanza_left };
        Prepared { loaded, plan, after, guarded: self.guarded }
    }
}

/// Writes the patches of an agreed plan one after the other, and notes in `stored` what the server has taken.
///
/// After a conflict everything is read and planned again. The same change from the same values is what was
/// agreed to and goes on; another one goes back to be shown.
pub(super) async fn write(
    server: &Cluster,
    mut loaded: Loaded,
    agreed: Confirmed<Plan>,
    scope: Scope,
    wished: Wished<'_>,
    stored: &mut Stored,
) -> Result<Outcome> {
    let mut left = agreed;
    let began = Instant::now();
    for attempt in 0..ATTEMPTS {
        match write_steps(server, &loaded, &left, stored).await? {
            Written::All if left.agreed().steps.iter().any(|step| step.object.kind == ObjectKind::Canary) => {
                return Ok(Outcome::Done(Box::new(loaded)));
            }
            // The declaration was read and not written, so the server has not held it against its version.
            Written::All => {}
            Written::Stale => pause(Duration::from_millis(u64::from(attempt).min(20) * 10)).await,
            Written::Otherwise { .. } if began.elapsed() < SETTLING => pause(Duration::from_millis(200)).await,
            Written::Otherwise { is_turned_back: true } if scope == Scope::LiveOnly => return Err(turned_back()),
            Written::Otherwise { .. } => {
                return Err(Error::new(Kind::Conflict, "the server stores another cookie than was written")
                    .caused_by("an admission policy or webhook changes it")
                    .hint("kubectl get mutatingadmissionpolicies,mutatingwebhookconfigurations"));
            }
        }
        loaded = server.load(&loaded.observed.canary.target, scope != Scope::LiveOnly).await?;
        let plan = Plan::new(&loaded, wished(&loaded)?.as_ref(), scope)?;
        if plan.is_empty() {
            if stored.guarded == Guarded::Unknown {
                stored.guarded = server.guarded(&loaded.observed).await;
            }
            return Ok(Outcome::Done(Box::new(loaded)));
        }
        match left.rest(plan) {
            Some(rest) => left = rest,
            None => return Ok(Outcome::Changed(Box::new(loaded))),
        }
    }
    Err(keeps_changing(&loaded))
}

enum Written {
    All,
    /// An object changed since it was read, or went away.
    Stale,
    /// The server stored something else; whether that is what is declared.
    Otherwise {
        is_turned_back: bool,
    },
}

/// Beside the last patch, to save a round trip, it is found out whether the guard keeps the result.
async fn write_steps(
    server: &Cluster,
    loaded: &Loaded,
    left: &Confirmed<Plan>,
    stored: &mut Stored,
) -> Result<Written> {
    let plan = left.agreed();
    let last = plan.steps.len().saturating_sub(1);
    for (index, write) in left.writes().enumerate() {
        let step = write.step();
        let answer = if index == last {
            let after: Vec<_> = plan.steps.iter().map(Step::after).collect();
            let result = result(loaded, plan, &after).observed;
            let (answer, guarded) = join(server.write(write), server.guarded(&result)).await;
            stored.guarded = guarded;
            answer
        } else {
            server.write(write).await
        };
        match answer {
            Ok(object) if step.is_fulfilled_by(&object) => stored.add(plan, step, object),
            Ok(object) => {
                return Ok(Written::Otherwise { is_turned_back: is_turned_back(loaded, step, &object) });
            }
            Err(failure) if failure.is_conflict() || failure.is_not_found() => return Ok(Written::Stale),
            Err(failure) => return Err(failure.into_error(&Call::of(Verb::Patch, &step.object))),
        }
    }
    Ok(Written::All)
}

/// Waits for about this long, a little more or less than anybody else.
pub(super) async fn pause(base: Duration) {
    let noise = RandomState::new().hash_one(0) % 40;
    tokio::time::sleep(base + Duration::from_millis(noise)).await;
}
