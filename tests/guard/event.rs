//! What happens to a Canary and to the TraefikService that bears its computed name: each on the real server, each
//! write of a TraefikService held against `guard::decide`.

use std::fmt;

use canary_traefik::{
    flagger::Canary,
    guard::{Decision, Request, decide},
    model::{
        declaration::{self, ANNOTATION},
        name::Group,
    },
};
use http::Method;
use serde_json::{Value, json};
use testbed::{api::Answer, flagger, objects};

use super::cluster::{Cluster, by_flagger, canaries, services};

/// One thing that happens.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Event {
    /// The annotation is written; refused when it is malformed.
    Declare(String),
    /// The annotation is taken away.
    Undeclare,
    /// The native field is written or, null, taken away.
    Native(Value),
    /// `spec.provider` is written or taken away.
    Provider(Option<&'static str>),
    /// The Canary is deleted.
    Delete,
    /// The Canary is deleted, if it is there, and created with this declaration.
    Create(Option<String>),
    /// A step of a Flagger that does not know the cookie.
    Step,
    /// A step of a Flagger that copies the native field.
    NativeStep,
    /// Flagger creates the TraefikService, which was deleted.
    Generate,
    /// Someone patches this cookie in.
    Set(Writer, Value),
    /// Someone patches the cookie away.
    Unset(Writer),
    /// Someone deletes the TraefikService and creates it with this cookie or without.
    Make(Writer, Option<Value>),
    /// Someone makes this its controller.
    Control(Owner),
    /// Someone makes the TraefikService another than a weighted one.
    Turn(Kind),
}

/// Who patches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writer {
    /// One that names a field manager, as kubectl does.
    Kubectl,
    /// One that names none.
    Nameless,
}

/// Who controls a TraefikService.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    AnotherCanary,
    Deployment,
    Nobody,
}

/// What a TraefikService can be instead of weighted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Mirroring,
    Failover,
}

/// A Canary and the TraefikService that bears its computed name, or would.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    pub(super) namespace: String,
    pub(super) canary: String,
    pub(super) service: String,
    pub(super) group: Group,
}

/// A write of a TraefikService and what came of it.
#[derive(Debug, Clone)]
pub(super) struct Written {
    canary: Option<Value>,
    old: Option<Value>,
    wanted: Value,
    stored: Value,
    names_manager: bool,
}

impl Event {
    /// Whether it writes the TraefikService.
    pub(super) fn is_write(&self) -> bool {
        !matches!(
            self,
            Self::Declare(_) | Self::Undeclare | Self::Native(_) | Self::Provider(_) | Self::Delete | Self::Create(_)
        )
    }
}

impl Pair {
    fn canary_path(&self) -> String {
        format!("{}/{}", canaries(&self.namespace), self.canary)
    }

    fn service_path(&self) -> String {
        format!("{}/{}", services(self.group, &self.namespace), self.service)
    }

    /// The Canary, if it is there.
    pub(super) fn find_canary(&self, cluster: &Cluster) -> Option<Value> {
        let answer = cluster.server.admin().get(&self.canary_path());
        (answer.code != 404).then(|| answer.expect("get a Canary"))
    }

    /// The TraefikService as Flagger makes it.
    pub(super) fn generated(&self, owner: Option<&Value>) -> Value {
        let mut service = objects::traefik_service(&self.service, 100, 0);
        service["apiVersion"] = json!(self.group.api_version());
        service["metadata"]["namespace"] = json!(self.namespace);
        match owner {
            Some(owner) => objects::owned_by(service, owner),
            None => service,
        }
    }

    /// The Canary as a person makes it.
    pub(super) fn canary_object(&self, declaration: Option<&str>) -> Value {
        let mut canary = objects::canary(&self.canary);
        if self.service != self.canary {
            canary["spec"]["service"]["name"] = json!(self.service);
        }
        if let Some(text) = declaration {
            canary["metadata"]["annotations"] = json!({ ANNOTATION: text });
        }
        canary
    }

    /// Lets something happen to the Canary.
    pub(super) fn change(&self, cluster: &Cluster, event: &Event) {
        let api = cluster.server.admin();
        let merge = |patch: Value| api.merge(&self.canary_path(), &patch);
        match event {
            Event::Declare(text) => {
                let answer = merge(json!({ "metadata": { "annotations": { ANNOTATION: text } } }));
                let known = answer.code == 200 || answer.code == 422;
                assert!(known, "{event}: {}", answer.text);
            }
            Event::Undeclare => {
                merge(json!({ "metadata": { "annotations": { ANNOTATION: null } } })).expect("undeclare");
            }
            Event::Native(cookie) => {
                let native = if cookie.is_null() { json!(null) } else { json!({ "sticky": { "cookie": cookie } }) };
                merge(json!({ "spec": { "service": { "traefik": native } } })).expect("declare natively");
            }
            Event::Provider(provider) => {
                merge(json!({ "spec": { "provider": provider } })).expect("change the provider");
            }
            Event::Delete => {
                api.delete(&self.canary_path()).expect("delete a Canary");
            }
            Event::Create(text) => {
                if self.find_canary(cluster).is_some() {
                    api.delete(&self.canary_path()).expect("delete a Canary");
                }
                let canary = self.canary_object(text.as_deref());
                api.post(&canaries(&self.namespace), &canary).expect("create a Canary");
            }
            _ => panic!("{event} is nothing that happens to a Canary"),
        }
    }

    /// Lets a write of the TraefikService happen.
    pub(super) fn write(&self, cluster: &Cluster, event: &Event) -> Written {
        let canary = self.find_canary(cluster);
        let old = cluster.server.admin().get(&self.service_path()).expect("get a TraefikService");
        let (writer, old, wanted, answer) = match event {
            Event::Step | Event::NativeStep => {
                // Another weight each time, so that each is a change.
                let weight = old["spec"]["weighted"]["services"][0]["weight"].as_u64().unwrap_or(0) % 90 + 5;
                let mut wanted = flagger::puts(old.clone(), weight, 100 - weight);
                let native = canary.as_ref().and_then(|canary| canary.pointer("/spec/service/traefik/sticky"));
                if let (Event::NativeStep, Some(sticky)) = (event, native) {
                    wanted["spec"]["weighted"]["sticky"] = sticky.clone();
                }
                let answer = by_flagger(Method::PUT, &self.service_path(), &wanted);
                (Writer::Nameless, Some(old), wanted, answer)
            }
            Event::Generate => {
                cluster.server.admin().delete(&self.service_path()).expect("delete a TraefikService");
                let wanted = self.generated(canary.as_ref());
                let answer = by_flagger(Method::POST, &services(self.group, &self.namespace), &wanted);
                (Writer::Nameless, None, wanted, answer)
            }
            Event::Make(writer, cookie) => {
                cluster.server.admin().delete(&self.service_path()).expect("delete a TraefikService");
                let mut wanted = self.generated(canary.as_ref());
                if let Some(cookie) = cookie {
                    wanted["spec"]["weighted"]["sticky"] = json!({ "cookie": cookie });
                }
                let path = services(self.group, &self.namespace);
                let answer = writer.sends(cluster, &Method::POST, &path, "application/json", &wanted);
                (*writer, None, wanted, answer)
            }
            Event::Set(..) | Event::Unset(_) | Event::Control(_) | Event::Turn(_) => {
                let (writer, patch) = self.patch(event);
                let mut wanted = old.clone();
                merge(&mut wanted, &patch);
                let content = "application/merge-patch+json";
                let answer = writer.sends(cluster, &Method::PATCH, &self.service_path(), content, &patch);
                (writer, Some(old), wanted, answer)
            }
            _ => panic!("{event} is no write of a TraefikService"),
        };
        let stored = answer.expect(&event.to_string());
        Written { canary, old, wanted, stored, names_manager: writer == Writer::Kubectl }
    }

    fn patch(&self, event: &Event) -> (Writer, Value) {
        let weighted = |sticky: Value| json!({ "spec": { "weighted": { "sticky": sticky } } });
        match event {
            Event::Set(writer, cookie) => (*writer, weighted(json!({ "cookie": cookie }))),
            Event::Unset(writer) => (*writer, weighted(Value::Null)),
            Event::Control(owner) => (Writer::Kubectl, json!({ "metadata": { "ownerReferences": owner.is() } })),
            Event::Turn(Kind::Mirroring) => {
                let primary = format!("{}-primary", self.service);
                (
                    Writer::Nameless,
                    json!({ "spec": { "weighted": null, "failover": null, "mirroring": { "name": primary, "port": 80 } } }),
                )
            }
            Event::Turn(Kind::Failover) => {
                let child = |track: &str| json!({ "name": format!("{}-{track}", self.service), "port": 80 });
                let failover = json!({ "service": child("primary"), "fallback": child("canary"), "errors": { "status": ["500-504"] } });
                (Writer::Nameless, json!({ "spec": { "weighted": null, "mirroring": null, "failover": failover } }))
            }
            _ => panic!("{event} is no patch"),
        }
    }
}

impl Writer {
    fn sends(self, cluster: &Cluster, method: &Method, path: &str, content: &str, body: &Value) -> Answer {
        let manager = match self {
            Self::Kubectl => "?fieldManager=kubectl-edit",
            Self::Nameless => "",
        };
        cluster.server.admin().ask(method, &format!("{path}{manager}"), content, body.to_string())
    }
}

impl Owner {
    /// The owner references.
    fn is(self) -> Value {
        let reference = |api_version: &str, kind: &str| {
            json!([{ "apiVersion": api_version, "blockOwnerDeletion": true, "controller": true, "kind": kind,
                "name": "another", "uid": "0f0e0d0c-0b0a-4908-8706-050403020100" }])
        };
        match self {
            Self::AnotherCanary => reference("flagger.app/v1beta1", "Canary"),
            Self::Deployment => reference("apps/v1", "Deployment"),
            Self::Nobody => Value::Null,
        }
    }
}

/// What shall stand in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// What the annotation declares.
    Declared,
    /// No cookie, whatever was written or there before.
    None,
    /// What was written.
    AsWritten,
    /// What was there before.
    AsBefore,
}

impl Written {
    /// The cookie that `guard::decide` wants; null for none.
    fn decided(&self) -> Value {
        let canary = self.canary.as_ref().and_then(Canary::from_object);
        let request = Request {
            canary: canary.as_ref(),
            old: self.old.as_ref(),
            new: &self.wanted,
            names_manager: self.names_manager,
        };
        match decide(&request) {
            Decision::Leave => sticky(&self.wanted),
            Decision::Set(sticky) => sticky,
            Decision::Remove => Value::Null,
        }
    }

    /// The difference between what the server stored and what `guard::decide` wants, if there is one.
    pub(super) fn difference(&self) -> Option<String> {
        let (stored, decided) = (sticky(&self.stored), self.decided());
        if stored != decided {
            return Some(format!("the server stored the cookie {stored}, guard::decide wants {decided}"));
        }
        let rest = |object: &Value| {
            let mut object = object.clone();
            if let Some(weighted) = object.pointer_mut("/spec/weighted").and_then(Value::as_object_mut) {
                weighted.remove("sticky");
            }
            let metadata = object["metadata"].take();
            json!([object, metadata["labels"], metadata["annotations"], metadata["ownerReferences"]])
        };
        let (stored, wanted) = (rest(&self.stored), rest(&self.wanted));
        (stored != wanted).then(|| format!("more than the cookie was changed: {stored} instead of {wanted}"))
    }

    /// The cookie that an outcome means here; null for none.
    pub(super) fn meant(&self, outcome: Outcome) -> Value {
        let text = self.canary.as_ref().and_then(|canary| canary["metadata"]["annotations"][ANNOTATION].as_str());
        match outcome {
            Outcome::Declared => declaration::parse(text.expect("declared")).expect("well-formed").to_sticky(),
            Outcome::None => Value::Null,
            Outcome::AsWritten => sticky(&self.wanted),
            Outcome::AsBefore => self.old.as_ref().map_or(Value::Null, sticky),
        }
    }

    /// The cookie that the server stored; null for none.
    pub(super) fn sticky(&self) -> Value {
        sticky(&self.stored)
    }
}

fn sticky(object: &Value) -> Value {
    object.pointer("/spec/weighted/sticky").cloned().unwrap_or_default()
}

/// RFC 7396.
fn merge(object: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else {
        *object = patch.clone();
        return;
    };
    if !object.is_object() {
        *object = json!({});
    }
    for (key, value) in patch {
        if value.is_null() {
            object.as_object_mut().expect("made one").remove(key);
        } else {
            merge(&mut object[key], value);
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Declare(text) if declaration::parse(text).is_err() => {
                write!(f, "the Canary is to declare `{text}`, which is refused")
            }
            Self::Declare(text) if text.is_empty() => f.write_str("the Canary declares a cookie without any field"),
            Self::Declare(text) => write!(f, "the Canary declares `{text}`"),
            Self::Undeclare => f.write_str("the declaration is removed"),
            Self::Native(Value::Null) => f.write_str("the native field is removed"),
            Self::Native(cookie) => write!(f, "the Canary declares `{cookie}` natively"),
            Self::Provider(Some(provider)) => write!(f, "the Canary's provider becomes `{provider}`"),
            Self::Provider(None) => f.write_str("the Canary names no provider"),
            Self::Delete => f.write_str("the Canary is deleted"),
            Self::Create(Some(text)) => write!(f, "the Canary is created again and declares `{text}`"),
            Self::Create(None) => f.write_str("the Canary is created again without a declaration"),
            Self::Step => f.write_str("Flagger sets weights"),
            Self::NativeStep => f.write_str("a Flagger that knows the native field sets weights"),
            Self::Generate => f.write_str("Flagger creates the TraefikService anew"),
            Self::Set(writer, cookie) => write!(f, "{writer} sets `{cookie}`"),
            Self::Unset(writer) => write!(f, "{writer} removes the cookie"),
            Self::Make(writer, Some(cookie)) => write!(f, "{writer} creates the TraefikService anew with `{cookie}`"),
            Self::Make(writer, None) => write!(f, "{writer} creates the TraefikService anew without a cookie"),
            Self::Control(Owner::Nobody) => f.write_str("the TraefikService loses its controller"),
            Self::Control(owner) => write!(f, "{owner} becomes the TraefikService's controller"),
            Self::Turn(Kind::Mirroring) => f.write_str("the TraefikService becomes a mirroring one"),
            Self::Turn(Kind::Failover) => f.write_str("the TraefikService becomes a failover one"),
        }
    }
}

impl fmt::Display for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kubectl => "kubectl",
            Self::Nameless => "a client without a field manager",
        })
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AnotherCanary => "another Canary",
            Self::Deployment => "a Deployment",
            Self::Nobody => "nobody",
        })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Declared => "what is declared",
            Self::None => "none",
            Self::AsWritten => "as written",
            Self::AsBefore => "the one before",
        })
    }
}
