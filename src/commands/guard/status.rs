//! `guard status`: reports whether the guard works and what it covers.

use clap::Args;
use serde_json::{Value, json};

use super::{
    proof::{self, Proof, Replicas},
    state::GuardState,
};
use crate::{
    cluster::Selection,
    commands::args::format_of,
    context::Context,
    error::{Exit, Result},
    flagger::Declared,
    guard::{Coverage, Form, Installed, ObjectState, limits},
    model::NamespacedName,
    observed::{Guarded, Observed},
    output::{self, Format, report, table::table},
};

/// Show whether the guard is installed and works, and what it covers
///
/// Exit status: 0 no problem, 1 something is missing, different or malformed, more than 1 an error.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Output format
    #[arg(short = 'o', long, value_name = "FORMAT", value_parser = format_of(["table", "json", "yaml"]),
          default_value = "table", hide_default_value = true)]
    output: Format,
}

/// Runs `guard status`.
pub(super) async fn run(ctx: &Context, args: &StatusArgs) -> Result<Exit> {
    let server = ctx.cluster().await?;
    let there = GuardState::read(&server).await?;
    let forms: Vec<Installed> = there.forms().into_iter().cloned().collect();
    if forms.is_empty() && args.output == Format::Table {
        let image = if there.unserved.is_some() { " --image IMAGE" } else { "" };
        ctx.ui.status(
            &ctx.again(&format!(
                "the guard is not installed\nto install it: kubectl canary-traefik guard install{image}"
            )),
        );
        return Ok(Exit::Found);
    }
    let observed = server.list_covered(Selection { namespace: None, selector: None }).await?;
    let webhook = forms.iter().find(|form| form.form == Form::Webhook);
    let (missing, hints) = match webhook {
        Some(webhook) => proof::missing(&server, Some(webhook)).await,
        None => Default::default(),
    };
    let status = Status {
        proof: proof::once(&server, &forms.iter().collect::<Vec<_>>(), &observed).await?,
        declared: with(&observed, |observed| matches!(observed.canary.declared, Declared::Annotation(_))),
        uncovered: with(&observed, |observed| {
            matches!(observed.canary.declared, Declared::Annotation(_)) && observed.guarded == Guarded::No
        }),
        malformed: with(&observed, |observed| matches!(observed.canary.declared, Declared::Malformed(..))),
        certificate: webhook.map(Installed::has_ca_bundle),
        replicas: webhook.and_then(|webhook| webhook.deployment().map(proof::replicas)),
        entries: webhook.filter(|webhook| webhook.deployment().is_some()).map(Installed::keeps_entries),
        missing,
        // The webhook indexes Canaries by TraefikService; policies are passed every Canary of a namespace.
        crowded: if forms.iter().any(|form| form.form == Form::Policies) {
            limits::crowded(&observed)
        } else {
            Vec::new()
        },
        contested: if forms.is_empty() { Vec::new() } else { limits::contested(&observed) },
        forms,
    };
    ctx.ui.data(&args.output.of(|| status.text(), || status.value()))?;
    if args.output == Format::Table {
        if let Some((namespace, _)) = status.crowded.first() {
            ctx.ui.status(&output::escaped(&ctx.again(&quota_hint(namespace))));
        }
        for hint in hints {
            ctx.ui.status(&output::escaped(&ctx.again(&hint)));
        }
    }
    Ok(if status.is_well() { Exit::Ok } else { Exit::Found })
}

fn quota_hint(namespace: &str) -> String {
    let quota = format!("count/canaries.flagger.app={}", limits::CROWD);
    format!("to limit the Canaries in a namespace: kubectl -n {namespace} create quota canaries --hard={quota}")
}

fn with(observed: &[Observed], test: impl Fn(&Observed) -> bool) -> Vec<String> {
    observed.iter().filter(|observed| test(observed)).map(|observed| observed.canary.target.to_string()).collect()
}

struct Status {
    forms: Vec<Installed>,
    proof: Proof,
    declared: Vec<String>,
    uncovered: Vec<String>,
    malformed: Vec<String>,
    /// Whether the webhook's registration has a CA bundle; `None` without a webhook.
    certificate: Option<bool>,
    /// Replicas of the webhook's Deployment, if it can be read.
    replicas: Option<Replicas>,
    /// Whether the webhook's replicas keep entries, if the Deployment can be read.
    entries: Option<bool>,
    /// What the webhook still lacks to work.
    missing: Vec<String>,
    /// Namespaces with so many Canaries that the policies are slow, with the number of Canaries.
    crowded: Vec<(String, usize)>,
    /// TraefikServices for which several Canaries declare different cookies, with these Canaries.
    contested: Vec<(NamespacedName, Vec<String>)>,
}

impl Status {
    fn is_well(&self) -> bool {
        let is_well = |standing| matches!(standing, ObjectState::Current | ObjectState::Unknown);
        !self.forms.is_empty()
            && self.rows().iter().all(|(_, _, standing)| is_well(*standing))
            && self.uncovered.is_empty()
            && self.malformed.is_empty()
            && self.missing.is_empty()
            && self.contested.is_empty()
            && !matches!(self.proof, Proof::Fails(_) | Proof::Without(..))
    }

    fn rows(&self) -> Vec<(String, Option<String>, ObjectState)> {
        let parts = self.forms.iter().flat_map(|form| &form.parts);
        parts
            .map(|part| (part.change.wanted.to_string(), part.change.version().map(str::to_owned), part.standing))
            .collect()
    }

    fn coverage(&self) -> Coverage {
        self.forms.first().map(|form| form.coverage.clone()).unwrap_or_default()
    }

    fn text(&self) -> String {
        let rows = self.rows().into_iter().map(|(name, version, standing)| {
            let version =
                version.unwrap_or_else(|| if standing == ObjectState::Unknown { "<unknown>" } else { "<none>" }.into());
            vec![name, word(standing).to_owned(), version]
        });
        let mut text = table(&["OBJECT", "STATE", "VERSION"], rows);
        text.push('\n');
        for (head, line) in self.lines() {
            text.push_str(&format!("{head:<11}  {line}\n"));
        }
        output::escaped_lines(&text)
    }

    /// Returns whether the guard works, in words.
    fn working(&self) -> String {
        match &self.proof {
            Proof::Acts(name) => {
                format!("yes (in a dry run, a write removed the cookie of {name}, and the guard put it back)")
            }
            Proof::Fails(name) => {
                format!("no (in a dry run, a write removed the cookie of {name}, and nothing put it back)")
            }
            Proof::Without(name, form) => {
                format!("in part (in a dry run, the cookie of {name} was put back, but not by the {})", form.as_str())
            }
            Proof::TooLarge(name) => {
                format!("<unknown> ({name}, the only TraefikService to test it on, has too many services)")
            }
            Proof::Nothing => "<unknown> (no covered Canary has both a declared cookie and a TraefikService)".into(),
            Proof::NotAllowed => "<unknown> (this user may not write TraefikServices)".into(),
        }
    }

    /// Returns the lines below the table: what each is about, and what is so.
    fn lines(&self) -> Vec<(&'static str, String)> {
        let coverage = self.coverage();
        let scope = |selector: &Option<Value>| selector.as_ref().map_or("all".to_owned(), ToString::to_string);
        let names = |names: &[String]| {
            let list = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
            format!("{}{list}", names.len())
        };
        let mut lines = vec![("installed", self.words().join(" and ")), ("working", self.working())];
        if let Some(certificate) = self.certificate {
            lines.push(("certificate", if certificate { "registered" } else { "not registered" }.into()));
        }
        if let Some(replicas) = self.replicas {
            lines.push(("replicas", format!("{} of {} ready", replicas.ready, replicas.wanted)));
        }
        if let Some(keeps) = self.entries {
            lines.push((
                "entries",
                if keeps { "updated when routes change" } else { "not updated (guard install --entries)" }.into(),
            ));
        }
        lines.extend([
            ("canaries", scope(&coverage.selector)),
            ("namespaces", scope(&coverage.namespace_selector)),
            ("declared", self.declared.len().to_string()),
            ("not covered", names(&self.uncovered)),
            ("malformed", names(&self.malformed)),
        ]);
        lines.extend(self.contested.iter().map(|(target, names)| {
            let names = names.join(" and ");
            ("contested", format!("{target} (it has no controller, and {names} declare different cookies for it)"))
        }));
        lines.extend(self.crowded.iter().map(|(namespace, count)| {
            (
                "crowded",
                format!("{namespace} ({count} Canaries; the policies evaluate each of them in every write there)"),
            )
        }));
        lines.extend(self.missing.iter().map(|what| ("missing", what.clone())));
        lines
    }

    fn words(&self) -> Vec<&'static str> {
        self.forms.iter().map(|installed| installed.form.as_str()).collect()
    }

    fn value(&self) -> Value {
        let objects: Vec<_> = self
            .rows()
            .into_iter()
            .map(|(name, version, standing)| json!({"name": name, "version": version, "state": word(standing)}))
            .collect();
        let working = match &self.proof {
            Proof::Acts(_) => json!(true),
            Proof::Fails(_) | Proof::Without(..) => json!(false),
            Proof::TooLarge(_) | Proof::Nothing | Proof::NotAllowed => json!(null),
        };
        let coverage = self.coverage();
        let replicas = self.replicas.map(|replicas| json!({"ready": replicas.ready, "wanted": replicas.wanted}));
        let contested: Vec<_> = self
            .contested
            .iter()
            .map(|(target, names)| json!({"traefikService": target.to_string(), "canaries": names}))
            .collect();
        let crowded: Vec<_> =
            self.crowded.iter().map(|(namespace, count)| json!({"namespace": namespace, "canaries": count})).collect();
        let status = json!({"installed": self.words(), "objects": objects,
            "working": working, "certificate": self.certificate, "replicas": replicas, "entries": self.entries, "missing": self.missing,
            "selector": coverage.selector, "namespaceSelector": coverage.namespace_selector,
            "declared": self.declared, "notCovered": self.uncovered, "malformed": self.malformed,
            "contested": contested, "crowded": crowded});
        report::published("GuardStatus", status)
    }
}

fn word(standing: ObjectState) -> &'static str {
    match standing {
        ObjectState::Missing => "missing",
        ObjectState::Current => "current",
        ObjectState::Differs => "differs",
        ObjectState::Foreign => "foreign",
        ObjectState::Unknown => "<unknown>",
    }
}
