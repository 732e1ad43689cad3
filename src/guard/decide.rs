//! What the stanza shall be when someone writes a TraefikService: the one definition. The webhook answers with it, and
//! the policies are held against it.

use serde_json::Value;

use crate::model::{Canary, Declared, Live, TraefikService, name::Group, traefik_service::Controller};

/// A write of a TraefikService, as an API server sees it before it is stored.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The Canary whose computed name the object bears, if there is one.
    pub canary: Option<&'a Canary>,
    /// The object before; none when it is created.
    pub old: Option<&'a Value>,
    /// The object as the writer wants it.
    pub new: &'a Value,
    /// Whether the writer names a field manager. Flagger does not (client-go's Update without options);
    /// kubectl, Helm, Flux and this program always do.
    pub names_manager: bool,
}

/// What the stanza of the new object shall be.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// As the writer wants it.
    Leave,
    /// This one.
    Set(Value),
    /// None.
    Remove,
}

/// Decides what the stanza shall be.
///
/// | Canary | writer | stanza |
/// |---|---|---|
/// | declares in the annotation | any | what is declared |
/// | declares nothing | without a field manager | none |
/// | declares nothing | with one | as written |
/// | declares natively, is malformed, or not seen | without a field manager, drops the stanza | the one before |
/// | declares natively, is malformed, or not seen | any other | as written |
///
/// A Flagger that copies the native field drops no stanza while there is one, and one that does not is as harmful as
/// ever; so both rows are right for it.
///
/// A TraefikService that is not weighted, or that something other than this Canary controls, is left alone.
pub fn decide(request: &Request<'_>) -> Decision {
    let Some(new) = read(request.new) else { return Decision::Leave };
    if new.children.is_none() {
        return Decision::Leave;
    }
    let kept = request.canary.filter(|canary| is_for(canary, &new)).and_then(|canary| keep(canary, &new, request));
    kept.unwrap_or_else(|| carry(&new, request))
}

/// Whether this object is the TraefikService of this Canary: Flagger finds it by name too.
fn is_for(canary: &Canary, service: &TraefikService) -> bool {
    canary.service_target().as_ref() == Some(&service.target)
        && canary.provider.as_deref().is_none_or(|provider| provider == "traefik")
        && service.controller.as_ref().is_none_or(|controller| controller.is_canary(&canary.target.name))
}

/// What the Canary says; `None` when it has nothing to say.
fn keep(canary: &Canary, new: &TraefikService, request: &Request<'_>) -> Option<Decision> {
    match &canary.declared {
        Declared::Native(..) | Declared::Malformed(..) => None,
        Declared::Annotation(cookie) => {
            let stanza = cookie.to_stanza();
            let same = request.new.pointer("/spec/weighted/sticky") == Some(&stanza);
            Some(if same { Decision::Leave } else { Decision::Set(stanza) })
        }
        Declared::Nothing if request.names_manager || new.live == Live::Absent => Some(Decision::Leave),
        Declared::Nothing => Some(Decision::Remove),
    }
}

/// The stanza that a writer without a field manager dropped.
fn carry(new: &TraefikService, request: &Request<'_>) -> Decision {
    let of_a_canary = new.controller.as_ref().is_some_and(Controller::is_any_canary);
    let stanza = request.old.and_then(|old| old.pointer("/spec/weighted/sticky"));
    match stanza {
        Some(stanza) if of_a_canary && !request.names_manager && new.live == Live::Absent && !stanza.is_null() => {
            Decision::Set(stanza.clone())
        }
        _ => Decision::Leave,
    }
}

fn read(object: &Value) -> Option<TraefikService> {
    TraefikService::from_object(object, TraefikService::is(object).unwrap_or(Group::TraefikIo))
}
