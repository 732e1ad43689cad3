//! `version`: versions of this program and of the cluster's components, and their limitations.

use clap::Args;
use futures_util::future::join3;
use serde_json::{Value, json};

use crate::{
    cluster::{Cluster, Workload},
    commands::args::format_of,
    context::Context,
    error::{Exit, Result},
    model::version::{self, Version},
    output::{self, Format, report, table::table},
};

/// Show the versions of this program, Kubernetes, Flagger, Traefik and the guard
///
/// Flagger and Traefik are found by the labels of their Deployments and DaemonSets in all namespaces; they are
/// unknown if you may not list these. Versions that are too old for a feature are listed below the table.
#[derive(Debug, Args)]
pub(crate) struct VersionArgs {
    /// Only this program's version; makes no API requests
    #[arg(long)]
    client: bool,

    /// Output format
    #[arg(short = 'o', long, value_name = "FORMAT", value_parser = format_of(["table", "json", "yaml"]),
          default_value = "table", hide_default_value = true)]
    output: Format,
}

const CLIENT: &str = env!("CARGO_PKG_VERSION");

/// Runs `version`.
pub(crate) async fn run(ctx: &Context, args: &VersionArgs) -> Result<Exit> {
    if args.client {
        print(ctx, args, &json!({"client": {"version": CLIENT}}), rows(None))?;
        return Ok(Exit::Ok);
    }
    let versions = match seen(ctx).await {
        Ok(versions) => versions,
        Err(error) => {
            // The table still shows what is known.
            if args.output == Format::Table {
                ctx.ui.data(&rows(None))?;
            }
            return Err(error);
        }
    };
    print(ctx, args, &versions.value(), rows(Some(&versions)))?;
    Ok(Exit::Ok)
}

fn print(ctx: &Context, args: &VersionArgs, value: &Value, text: String) -> Result<()> {
    ctx.ui.data(&args.output.of(|| text, || report::published("VersionReport", value.clone())))
}

/// Versions of a cluster's components.
struct Versions {
    address: String,
    server: String,
    /// `None` if this user may not list workloads.
    workloads: Option<Vec<Workload>>,
    #[expect(clippy::option_option, reason = "not allowed to look, none, one")]
    guard: Option<Option<(&'static str, String)>>,
    /// Limitations of old versions: the component, its version, what it cannot do.
    limits: Vec<String>,
}

async fn seen(ctx: &Context) -> Result<Versions> {
    let server = ctx.cluster().await?;
    let server: &Cluster = &server;
    let (version, workloads, guard) = join3(server.server_version(), server.workloads(), server.guard_version()).await;
    let (version, serves) = version?;
    let mut versions =
        Versions { address: server.api().url().to_owned(), server: version, workloads, guard, limits: Vec::new() };
    versions.limits = versions.too_old(&serves);
    Ok(versions)
}

impl Versions {
    fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Workload> {
        self.workloads.iter().flatten().filter(move |workload| workload.name == name)
    }

    fn too_old(&self, serves: &str) -> Vec<String> {
        let number = |workload: &Workload| Version::parse(version::tag(&workload.image)?);
        let mut limits = Vec::new();
        let mut add = |what: &str, all: Vec<String>| {
            limits.extend(all.into_iter().map(|limit| format!("{what} {limit}")));
        };
        if let Some(version) = Version::parse(serves) {
            add(&format!("Kubernetes {serves}"), version::limits_of_server(version));
        }
        // An old Flagger is a problem as soon as one Traefik is too new for it.
        let newest = self.of("traefik").filter_map(number).max();
        for (workload, version) in self.of("flagger").filter_map(|workload| Some((workload, number(workload)?))) {
            let tag = version::tag(&workload.image).unwrap_or_default();
            add(&format!("Flagger {tag}"), version::limits_of_flagger(version, newest));
        }
        for (workload, version) in self.of("traefik").filter_map(|workload| Some((workload, number(workload)?))) {
            let tag = version::tag(&workload.image).unwrap_or_default();
            add(&format!("Traefik {tag}"), version::limits_of_traefik(version));
        }
        limits
    }

    fn value(&self) -> Value {
        let all = |name: &str| {
            let one = |workload: &Workload| {
                json!({"version": version::tag(&workload.image), "image": workload.image, "kind": workload.kind,
                    "namespace": workload.target.namespace, "name": workload.target.name})
            };
            self.workloads.as_ref().map(|_| self.of(name).map(one).collect::<Vec<_>>())
        };
        let guard = self.guard.as_ref().map(|guard| match guard {
            Some((mode, version)) => json!({"mode": mode, "version": version}),
            None => json!({"mode": "none", "version": null}),
        });
        json!({"client": {"version": CLIENT}, "server": {"version": self.server, "address": self.address},
            "flagger": all("flagger"), "traefik": all("traefik"), "guard": guard, "limits": self.limits})
    }
}

fn rows(versions: Option<&Versions>) -> String {
    let row = |part: &str, version: &str, place: &str| vec![part.to_owned(), version.to_owned(), place.to_owned()];
    let mut rows = vec![row("client", CLIENT, "kubectl-canary-traefik")];
    let Some(versions) = versions else { return table(&["PART", "VERSION", "WHERE"], rows) };
    rows.push(row("server", &versions.server, &versions.address));
    for name in ["flagger", "traefik"] {
        let before = rows.len();
        rows.extend(versions.of(name).map(|workload| {
            let place = format!("{}/{} ({})", workload.kind, workload.target.name, namespace(workload));
            row(name, version::tag(&workload.image).unwrap_or(&workload.image), &place)
        }));
        if rows.len() == before {
            let none = if versions.workloads.is_some() { "<none>" } else { "<unknown>" };
            rows.push(row(name, none, "<none>"));
        }
    }
    rows.push(match &versions.guard {
        Some(Some((mode, version))) => row("guard", version, mode),
        Some(None) => row("guard", "<none>", "<none>"),
        None => row("guard", "<unknown>", "<none>"),
    });
    let mut text = table(&["PART", "VERSION", "WHERE"], rows);
    if !versions.limits.is_empty() {
        text.push('\n');
        text.push_str(&output::escaped_lines(&versions.limits.join("\n")));
    }
    text
}

fn namespace(workload: &Workload) -> &str {
    workload.target.namespace.as_deref().unwrap_or_default()
}
