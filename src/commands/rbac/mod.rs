//! `rbac`: prints the permissions a command needs, or checks for them.

pub mod entry;
mod grants;
pub mod permission;
pub mod permissions;
mod role;
mod through;
mod watch;

use clap::Args;
use futures_util::future::join_all;
use serde_json::{Value, json};

use self::{
    permission::{Need, Permission},
    permissions::{ROWS, Row},
};
use crate::{
    apiserver::Action,
    commands::args::format_of,
    context::Context,
    error::{Error, Exit, Result},
    model::name::near,
    output::{self, Format, report, table::table},
};

/// Print the permissions a command needs, or check your own
///
/// Namespaced rules go into a Role, cluster-wide rules into a ClusterRole. With -A, and for commands that always
/// read all namespaces, everything goes into a ClusterRole. Without a command, the rules cover all commands.
/// Comments mark optional rules and say what happens without them.
///
/// Exit status of --check: 0 the command works, 1 a required permission is missing, more than 1 an error.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  # Let a group change cookies in one namespace\n  kubectl canary-traefik rbac sticky set -n shop | kubectl apply -f -\n  kubectl -n shop create rolebinding cookies --role kubectl-canary-traefik-sticky-set --group web\n\n  # Would guard install work, as me?\n  kubectl canary-traefik rbac guard install --check"
)]
pub struct RbacArgs {
    /// The command
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,

    /// Ask the server which of these permissions you have
    #[arg(long)]
    check: bool,

    /// Include what the command needs where Canaries declare entries
    #[arg(long)]
    entry: bool,

    /// Include what show and describe need for --watch
    #[arg(long)]
    watch: bool,

    /// Include what verify needs for --through-cluster
    #[arg(long)]
    through_cluster: bool,

    /// For all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,

    /// Output format; table only with --check
    #[arg(short = 'o', long, value_name = "FORMAT", value_parser = format_of(["table", "json", "yaml"]))]
    output: Option<Format>,
}

/// Runs `rbac`.
pub async fn run(ctx: &Context, args: &RbacArgs) -> Result<Exit> {
    let command = args.command.join(" ");
    let command = (!command.is_empty()).then_some(command.as_str());
    let of = |row: &Row| {
        let entry = if args.entry { entry::permissions(row.command) } else { Vec::new() };
        let watch = if args.watch { watch::permissions(row.command) } else { Vec::new() };
        let through = if args.through_cluster { through::permissions(row.command) } else { Vec::new() };
        row.permissions().chain(entry).chain(watch).chain(through).collect::<Vec<_>>()
    };
    let permissions: Vec<_> = match command {
        Some(command) => of(Row::of(command).ok_or_else(|| unknown(command))?),
        None => of_all(of),
    };
    let permissions: Vec<_> = permissions
        .into_iter()
        .map(|permission| Permission { cluster: permission.cluster || args.all_namespaces, ..permission })
        .collect();
    if permissions.is_empty() {
        ctx.ui.status("this command makes no API requests");
        return Ok(Exit::Ok);
    }
    if args.check {
        return check(ctx, &permissions, args.output.unwrap_or_default()).await;
    }
    if args.output == Some(Format::Table) {
        return Err(Error::usage("-o table requires --check").hint("use -o yaml, or --check"));
    }
    let objects = role::objects(&role::name(command), ctx.namespace(), &permissions);
    ctx.ui.data(&if args.output == Some(Format::Json) {
        let items: Vec<_> = objects.into_iter().map(|(object, _)| object).collect();
        output::json(&json!({"apiVersion": "v1", "kind": "List", "items": items}))
    } else {
        role::print(&objects)
    })?;
    Ok(Exit::Ok)
}

/// Completes the hints of an error: commands for the same cluster and user, and if a permission is missing, the command that
/// prints the Role with it.
pub fn with_hint(ctx: &Context, error: Error) -> Error {
    let flags = ctx.connection.to_command_line();
    let missing = error.missing_permission().and_then(|permission| {
        let allows = |allowed: Permission| allowed.allows(&permission.verb, &permission.resource);
        let entry = match Row::of(&ctx.command)? {
            row if row.permissions().any(allows) => "",
            row if entry::permissions(row.command).into_iter().any(allows) => " --entry",
            row if through::permissions(row.command).into_iter().any(allows) => " --through-cluster",
            row => watch::permissions(row.command).into_iter().any(allows).then_some(" --watch")?,
        };
        let place = match (&permission.namespace, ctx.namespace()) {
            (Some(namespace), _) => format!(" -n {namespace}"),
            (None, _) if permission.verb == "list" => " -A".to_owned(),
            (None, Some(namespace)) => format!(" -n {namespace}"),
            (None, None) => String::new(),
        };
        Some(format!("kubectl canary-traefik rbac {}{entry}{place}", ctx.command))
    });
    match missing {
        Some(rbac) => error.hint_command(rbac, " prints the permissions it needs"),
        None => error,
    }
    .for_same_user(&flags)
}

/// Returns the permissions of all commands without duplicates; of two that differ only in need, the stronger remains.
fn of_all(of: impl Fn(&Row) -> Vec<Permission>) -> Vec<Permission> {
    let mut all: Vec<Permission> = Vec::new();
    for permission in ROWS.iter().flat_map(of) {
        let is_same = |other: &Permission| Permission { need: permission.need, ..*other } == permission;
        match all.iter_mut().find(|other| is_same(other)) {
            Some(other) if permission.need == Need::Must => other.need = Need::Must,
            Some(_) => {}
            None => all.push(permission),
        }
    }
    all
}

fn unknown(command: &str) -> Error {
    let error = Error::usage(format!("there is no command `{command}`"));
    let near = near(command, ROWS.iter().map(|row| row.command));
    match near.first() {
        Some(near) => error.hint(format!("kubectl canary-traefik rbac {near}")),
        None => error.hint("kubectl canary-traefik --help lists the commands"),
    }
}

/// One verb of a permission, and the server's answer.
struct Checked {
    permission: Permission,
    verb: &'static str,
    namespace: Option<String>,
    allowed: bool,
}

async fn check(ctx: &Context, permissions: &[Permission], format: Format) -> Result<Exit> {
    let server = ctx.cluster().await?;
    let asked = permissions.iter().flat_map(|permission| permission.verbs.iter().map(move |verb| (*permission, *verb)));
    let answers = join_all(asked.map(|(permission, verb)| {
        let server = &server;
        async move {
            let namespace = (!permission.cluster).then(|| server.api().namespace().to_owned());
            let names = if permission.names.is_empty() { &[""] } else { permission.names };
            // A cluster uses one of several groups; of several names, all are needed.
            let mut allowed = false;
            for group in permission.groups {
                let all = names.iter().map(|name| {
                    let namespace = namespace.as_deref();
                    server.api().may(Action { group, resource: permission.resource, verb, name, namespace })
                });
                allowed |= join_all(all).await.into_iter().collect::<Result<Vec<_>>>()?.into_iter().all(|yes| yes);
            }
            Ok(Checked { permission, verb, namespace, allowed })
        }
    }));
    let checked: Vec<Checked> = answers.await.into_iter().collect::<Result<_>>()?;
    let head = ["VERB", "RESOURCE", "NAMESPACE", "ALLOWED", "WITHOUT IT"];
    ctx.ui.data(&format.of(|| table(&head, checked.iter().map(Checked::row)), || value(&checked)))?;
    let works = checked.iter().all(|one| one.allowed || one.permission.need != Need::Must);
    Ok(if works { Exit::Ok } else { Exit::Found })
}

impl Checked {
    fn resource(&self) -> String {
        let group = self.permission.groups[0];
        if group.is_empty() {
            self.permission.resource.to_owned()
        } else {
            format!("{}.{group}", self.permission.resource)
        }
    }

    fn without(&self) -> &'static str {
        match self.permission.need {
            Need::Must => "it fails",
            Need::Less(what) => what,
            Need::Tried(_) => "no difference",
        }
    }

    fn row(&self) -> Vec<String> {
        let allowed = if self.allowed { "yes" } else { "no" };
        let namespace = self.namespace.clone().unwrap_or_else(|| "<all>".into());
        vec![self.verb.to_owned(), self.resource(), namespace, allowed.into(), self.without().into()]
    }
}

fn value(checked: &[Checked]) -> Value {
    let permissions: Vec<_> = checked
        .iter()
        .map(|one| {
            json!({"verb": one.verb, "resource": one.resource(), "names": one.permission.names, "namespace": one.namespace,
                "allowed": one.allowed, "needed": one.permission.need == Need::Must, "without": one.without()})
        })
        .collect();
    let works = checked.iter().all(|one| one.allowed || one.permission.need != Need::Must);
    report::published("PermissionsReport", json!({"works": works, "permissions": permissions}))
}
