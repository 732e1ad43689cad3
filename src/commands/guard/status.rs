//! `guard status`.

use clap::Args;
use serde_json::json;

use super::proof::{self, Proof};
use crate::{
    cluster::Selection,
    context::Context,
    error::{Exit, Result},
    guard::{Installed, Standing},
    model::{Declared, Guarded, Observed},
    output::{self, report, table::table},
    yaml,
};

/// Show whether the guard is there, acts, and what it covers
///
/// Exit status: 0 all is well, 1 something is missing, different or malformed, more than 1 an error.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// How it is written
    #[arg(short = 'o', long, value_name = "FORMAT", value_parser = ["table", "json", "yaml"], default_value = "table",
          hide_default_value = true)]
    output: String,
}

/// Runs `guard status`.
pub(super) async fn run(ctx: &Context, args: &StatusArgs) -> Result<Exit> {
    let server = super::cluster(ctx).await?;
    let installed = server.guard().await?;
    if installed.is_absent() {
        server.must_serve_policies().await?;
    }
    if installed.is_absent() && args.output == "table" {
        ctx.ui.status("the guard is not installed\nto install it: kubectl canary-traefik guard install");
        return Ok(Exit::Found);
    }
    let observed = server.list(Selection { namespace: None, selector: None }).await?;
    let status = Status {
        proof: proof::once(&server, &installed, &observed).await?,
        declared: with(&observed, |observed| matches!(observed.canary.declared, Declared::Annotation(_))),
        uncovered: with(&observed, |observed| {
            matches!(observed.canary.declared, Declared::Annotation(_)) && observed.guarded == Guarded::No
        }),
        malformed: with(&observed, |observed| matches!(observed.canary.declared, Declared::Malformed(..))),
        installed,
    };
    ctx.ui.data(&match args.output.as_str() {
        "json" => output::json(&status.value()),
        "yaml" => yaml::print(&status.value()),
        _ => status.text(),
    })?;
    Ok(if status.is_well() { Exit::Ok } else { Exit::Found })
}

fn with(observed: &[Observed], test: impl Fn(&Observed) -> bool) -> Vec<String> {
    observed.iter().filter(|observed| test(observed)).map(|observed| observed.canary.target.to_string()).collect()
}

struct Status {
    installed: Installed,
    proof: Proof,
    declared: Vec<String>,
    uncovered: Vec<String>,
    malformed: Vec<String>,
}

impl Status {
    fn is_well(&self) -> bool {
        let current = self.rows().iter().all(|(_, _, standing)| *standing == Standing::Current);
        current && self.uncovered.is_empty() && self.malformed.is_empty() && !matches!(self.proof, Proof::Fails(_))
    }

    fn rows(&self) -> Vec<(String, Option<String>, Standing)> {
        let changes = self.installed.changes(&self.installed.coverage());
        changes.iter().map(|change| (change.name(), change.version().map(str::to_owned), change.standing())).collect()
    }

    fn text(&self) -> String {
        let rows = self.rows().into_iter().map(|(name, version, standing)| {
            vec![name, word(standing).to_owned(), version.unwrap_or_else(|| "<none>".into())]
        });
        let mut text = table(&["OBJECT", "STATE", "VERSION"], rows);
        let acting = match &self.proof {
            Proof::Acts(name) => format!("yes (a dry-run write that dropped the stanza of {name} got it back)"),
            Proof::Fails(name) => format!("no (a dry-run write dropped the stanza of {name})"),
            Proof::Nothing => "<unknown> (no covered Canary with a TraefikService declares a cookie)".into(),
            Proof::NotAllowed => "<unknown> (this user may not write TraefikServices)".into(),
        };
        let coverage = self.installed.coverage();
        let scope =
            |selector: &Option<serde_json::Value>| selector.as_ref().map_or("all".to_owned(), ToString::to_string);
        let names =
            |names: &[String]| if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
        text.push_str(&format!(
            "\nacting       {acting}\ncanaries     {}\nnamespaces   {}\ndeclared     {}\nnot covered  {}{}\nmalformed    {}{}\n",
            scope(&coverage.selector),
            scope(&coverage.namespace_selector),
            self.declared.len(),
            self.uncovered.len(),
            names(&self.uncovered),
            self.malformed.len(),
            names(&self.malformed),
        ));
        output::escaped_lines(&text)
    }

    fn value(&self) -> serde_json::Value {
        let objects: Vec<_> = self
            .rows()
            .into_iter()
            .map(|(name, version, standing)| json!({"name": name, "version": version, "state": word(standing)}))
            .collect();
        let acting = match &self.proof {
            Proof::Acts(_) => json!(true),
            Proof::Fails(_) => json!(false),
            Proof::Nothing | Proof::NotAllowed => json!(null),
        };
        let coverage = self.installed.coverage();
        let status = json!({"objects": objects, "acting": acting,
            "selector": coverage.selector, "namespaceSelector": coverage.namespace_selector,
            "declared": self.declared, "notCovered": self.uncovered, "malformed": self.malformed});
        report::published("GuardStatus", status)
    }
}

fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Missing => "missing",
        Standing::Current => "current",
        Standing::Differs => "differs",
        Standing::Foreign => "foreign",
    }
}
