//! The reference definition of what happens to the sticky cookie when a TraefikService is written. The webhook answers
//! with it, and the policies are tested against it.

use serde_json::Value;

use crate::{
    flagger::{Canary, Declared},
    model::name::Group,
    traefik::{Live, TraefikService, traefik_service::Controller},
};

/// A write to a TraefikService, as the API server sees it before storing the object.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The Canary whose TraefikService has the name of this object, if there is one.
    pub canary: Option<&'a Canary>,
    /// The stored object; `None` for a create.
    pub old: Option<&'a Value>,
    /// The object as submitted by the writer.
    pub new: &'a Value,
    /// Whether the writer names a field manager. Flagger does not (client-go's Update without options);
    /// kubectl, Helm, Flux and this program always do.
    pub names_manager: bool,
}

/// What to do with the sticky cookie of the new object.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Leave it as submitted.
    Leave,
    /// Set `spec.weighted.sticky` to this value.
    Set(Value),
    /// Remove `spec.weighted.sticky`.
    Remove,
}

/// Decides what to do with the sticky cookie.
///
/// | Canary | writer | `spec.weighted.sticky` |
/// |---|---|---|
/// | declares in the annotation | any | as declared |
/// | declares nothing | without a field manager | removed |
/// | declares nothing | with one | as written |
/// | declares natively, is malformed, or is unknown | without a field manager, drops the cookie | as before |
/// | declares natively, is malformed, or is unknown | any other | as written |
///
/// The last two rows suit both kinds of Flagger: one that copies the native field never drops the cookie while the
/// field is set, and one that does not copy it drops the cookie at every write.
///
/// A TraefikService that is not weighted, or that is controlled by something other than this Canary, is left alone.
pub fn decide(request: &Request<'_>) -> Decision {
    let Some(new) = read(request.new) else { return Decision::Leave };
    if new.children.is_none() {
        return Decision::Leave;
    }
    let kept = request.canary.filter(|canary| is_for(canary, &new)).and_then(|canary| keep(canary, &new, request));
    kept.unwrap_or_else(|| carry(&new, request))
}

/// Returns whether `service` is the TraefikService of this Canary. Flagger also finds it by name.
fn is_for(canary: &Canary, service: &TraefikService) -> bool {
    canary.service_target().as_ref() == Some(&service.target)
        && canary.provider.as_deref().is_none_or(|provider| provider == "traefik")
        && service.controller.as_ref().is_none_or(|controller| controller.is_canary(&canary.target.name))
}

/// Returns the decision for the Canary's declaration; `None` if the decision does not depend on it.
fn keep(canary: &Canary, new: &TraefikService, request: &Request<'_>) -> Option<Decision> {
    match &canary.declared {
        Declared::Native(..) | Declared::Malformed(..) => None,
        Declared::Annotation(cookie) => {
            let sticky = cookie.to_sticky();
            let same = request.new.pointer("/spec/weighted/sticky") == Some(&sticky);
            Some(if same { Decision::Leave } else { Decision::Set(sticky) })
        }
        Declared::Nothing if request.names_manager || new.live == Live::Absent => Some(Decision::Leave),
        Declared::Nothing => Some(Decision::Remove),
    }
}

/// Restores the cookie that a writer without a field manager dropped.
fn carry(new: &TraefikService, request: &Request<'_>) -> Decision {
    let of_a_canary = new.controller.as_ref().is_some_and(Controller::is_any_canary);
    let sticky = request.old.and_then(|old| old.pointer("/spec/weighted/sticky"));
    match sticky {
        Some(sticky) if of_a_canary && !request.names_manager && new.live == Live::Absent && !sticky.is_null() => {
            Decision::Set(sticky.clone())
        }
        _ => Decision::Leave,
    }
}

fn read(object: &Value) -> Option<TraefikService> {
    TraefikService::from_object(object, TraefikService::is(object).unwrap_or(Group::TraefikIo))
}
