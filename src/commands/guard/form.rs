//! The form of the guard that `guard install` chooses, and what the webhook's objects are.

use super::{
    install_args::{InstallArgs, Mode},
    state::{self, GuardState},
    traefik_url,
};
use crate::{
    cluster::Cluster,
    context::Context,
    error::{Error, Kind, Result},
    guard::{
        CertificateOwner, Change, Coverage, Form, GuardKind, Installed, ObjectState, Placement, deployment, webhook,
    },
    guard_server,
    model::NamespacedName,
};

/// Rejects flags that would otherwise be silently ignored.
pub(super) fn refuse_unused(args: &InstallArgs) -> Result<()> {
    let named = [
        ("--image", args.image.is_some()),
        ("--guard-namespace", args.guard_namespace.is_some()),
        ("--entries", args.entries == Some(true)),
        ("--traefik-url", args.traefik_urls.iter().any(Option::is_some)),
    ];
    let Some((flag, _)) = named.into_iter().find(|(_, is_given)| *is_given) else { return Ok(()) };
    match (args.mode, args.output) {
        (Mode::Policy, _) => {
            Err(Error::usage(format!("{flag} is for the webhook, which --mode policy does not install"))
                .hint(format!("leave out {flag}, or use --mode webhook")))
        }
        // No API server is contacted, so `auto` means the policies.
        (Mode::Auto, Some(_)) => Err(Error::usage(format!("{flag} is for the webhook, and -o prints the policies"))
            .hint("add --mode webhook to print the webhook")),
        _ => Ok(()),
    }
}

/// Chooses the form to install.
pub(super) fn form(ctx: &Context, args: &InstallArgs, there: &GuardState) -> Result<Form> {
    match (args.mode, there.unserved.clone()) {
        (Mode::Webhook, _) => Ok(Form::Webhook),
        (Mode::Policy, Some(error)) => {
            Err(error.hint_command("kubectl canary-traefik guard install --mode webhook --image IMAGE", ""))
        }
        (_, None) => {
            let needing = [
                ("--entries", "", args.entries == Some(true)),
                ("--traefik-url", " URL", args.traefik_urls.iter().any(Option::is_some)),
            ];
            if let Some((flag, value, _)) = needing.into_iter().find(|(_, _, is_given)| *is_given) {
                let hint = format!("kubectl canary-traefik guard install --mode webhook --image IMAGE {flag}{value}");
                return Err(Error::usage(format!(
                    "{flag} needs the webhook, but this cluster serves admission policies"
                ))
                .hint(hint));
            }
            if args.image.is_some() || args.guard_namespace.is_some() {
                ctx.ui.status("this cluster serves admission policies: --image and --guard-namespace are ignored without --mode webhook");
            }
            Ok(Form::Policies)
        }
        (_, Some(error)) if args.image.is_some() || there.webhook.is_some() => {
            let causes = error.causes().concat();
            ctx.ui.status(&format!("{}: {causes}\nso the guard is installed as a webhook", error.message()));
            Ok(Form::Webhook)
        }
        (_, Some(error)) => {
            Err(error.hint_command("install the webhook: kubectl canary-traefik guard install --image IMAGE", ""))
        }
    }
}

/// Returns the changes to the webhook's objects. Settings without a flag stay as they are.
pub(super) async fn webhook_changes(
    server: &Cluster,
    args: &InstallArgs,
    there: &GuardState,
    coverage: Coverage,
) -> Result<Vec<Change>> {
    let installed = there.webhook.as_ref();
    let is_outside = installed.is_some_and(|webhook| webhook.namespace().is_none());
    if is_outside {
        return Err(Error::new(Kind::Conflict, "a process outside the cluster has registered itself as the guard")
            .hint_command(
                "stop its `guard run`, or run kubectl canary-traefik guard uninstall",
                ", then repeat the command",
            ));
    }
    let namespace = installed.and_then(Installed::namespace);
    let namespace = match (&args.guard_namespace, namespace) {
        // A webhook in another namespace would not be ready by the time the first one is no longer called.
        (Some(wanted), Some(namespace)) if wanted != namespace => {
            return Err(Error::new(Kind::Conflict, format!("the webhook runs in namespace `{namespace}`"))
                .hint(format!("use --guard-namespace {namespace}"))
                .hint_command("to move it: kubectl canary-traefik guard uninstall", ", then install it again"));
        }
        (Some(wanted), _) => wanted.clone(),
        (None, namespace) => namespace.unwrap_or(deployment::NAMESPACE).to_owned(),
    };
    let image = args.image.clone().or_else(|| state::image(installed?).map(str::to_owned)).ok_or_else(no_image)?;
    let has_conditions = server.has_match_conditions().await?;
    let (keeper, secret) = certificates(server, &namespace, installed).await?;
    let entries = args.entries.unwrap_or_else(|| installed.is_some_and(Installed::keeps_entries));
    if entries && keeper != CertificateOwner::Replicas {
        return Err(Error::usage("--entries needs Kubernetes 1.30 or later (ValidatingAdmissionPolicy)")
            .caused_by("without that policy, the guard's account could write any route")
            .hint("leave out --entries, and run kubectl canary-traefik sticky apply when routes change"));
    }
    let traefik = traefik_urls(args, installed)?;
    let placement = Placement { namespace, image, coverage, has_conditions, keeper, entries, traefik };
    let mut changes = server.changes(deployment::objects(&placement)).await?;
    // A namespace owned by someone else is used unchanged.
    changes.retain(|change| change.wanted.kind != GuardKind::Namespace || change.standing() != ObjectState::Foreign);
    // New pods need the Secret first; running pods get it only after its CA is registered.
    let new_pods =
        changes.iter().position(|change| change.wanted.kind == GuardKind::Deployment && change.before.is_none());
    let place = new_pods.unwrap_or(changes.len());
    changes.splice(place..place, secret);
    Ok(changes)
}

/// Returns the URLs of Traefik: those that are given, else those that are installed.
pub(super) fn traefik_urls(args: &InstallArgs, installed: Option<&Installed>) -> Result<Vec<String>> {
    if args.traefik_urls.is_empty() {
        return Ok(installed.map(Installed::traefik_urls).unwrap_or_default());
    }
    let urls: Vec<_> = args.traefik_urls.iter().flatten().collect();
    traefik_url::address(urls.iter().copied())?;
    Ok(urls.iter().map(ToString::to_string).collect())
}

/// Decides who manages the webhook's certificates, and returns the change of their Secret, if any.
async fn certificates(
    server: &Cluster,
    namespace: &str,
    installed: Option<&Installed>,
) -> Result<(CertificateOwner, Option<Change>)> {
    if server.serves_validating_policies().await? {
        return Ok((CertificateOwner::Replicas, None));
    }
    let secret = NamespacedName { namespace: Some(namespace.to_owned()), name: webhook::SECRET.to_owned() };
    let before = server.find_guard(&deployment::secret(namespace)).await?;
    let registered = installed.and_then(Installed::installed_authorities).unwrap_or_default();
    let registered = String::from_utf8(registered).unwrap_or_default();
    let service = deployment::service(namespace);
    let (authorities, wanted) = guard_server::installed(&secret, &service, before.as_ref(), &registered)?;
    Ok((CertificateOwner::Install { authorities }, wanted.map(|wanted| Change { wanted, before })))
}

pub(super) fn no_image() -> Error {
    Error::usage("the webhook needs an image of this program").hint("use --image REGISTRY/NAME:TAG")
}
