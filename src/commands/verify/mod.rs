//! `verify`: whether the cookie keeps browsers on their track, by real requests to the real route.

mod args;

use std::{collections::BTreeSet, path::PathBuf, sync::Arc, time::Duration};

use clap::{Args, ValueEnum};

use self::args::{Pod, count, flow, pod, rate, resolve, time};
use crate::{
    apiserver::site::SiteTrust,
    cluster::{Cluster, Reading},
    context::{Context, FileArgs},
    error::{Error, Exit, Result},
    flagger::Declared,
    model::ObjectKind,
    observed::Loaded,
    output::verification,
    source::Source,
    traefik::{Serving, entry::Need, routing::Unread, throttle::until_in_force},
    verify::{Page, Setup, judge, pages},
    web::{
        Resolve, Through, Way, Web, page,
        visits::{MOST, Seen, Until, Visits},
    },
};

/// Check over HTTP whether the cookie keeps browsers on their track
///
/// Opens pages as browsers do, with GET requests only. Each browser has its own cookies, handles them as RFC 6265bis says,
/// and follows redirects only to hosts of these pages. The value of the cookie shows which track answers. With a
/// declared entry, its paths are opened on each host, too.
///
/// Checks that every page sets the cookie, that browsers store it and send it back, that each browser stays on its
/// track, that nothing else sets a cookie of this name, that the cookie lives as long as a flow, that Traefik chooses
/// a track again at the entry and nowhere else, and that the tracks are chosen in proportion to their weights. PINS is how
/// often Traefik chose the track, REQUESTS how many requests the track answered.
///
/// Exit status: 0 no check fails, though some may be skipped; 1 a check fails; more than 1 an error.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  # Does a login stay on its track?\n  kubectl canary-traefik verify checkout --url https://shop.example.com/login\n\n  # The hosts of the routes, at the address of a load balancer that has no DNS record yet\n  kubectl canary-traefik verify checkout --resolve shop.example.com:443:203.0.113.7\n\n  # In a pipeline\n  kubectl canary-traefik verify checkout --url https://shop.example.com/ -o junit > verify.xml"
)]
pub(crate) struct VerifyArgs {
    /// The Canary
    #[arg(value_name = "NAME")]
    name: String,

    /// A page to open; can be repeated. Default: pages on the hosts of the routes to the TraefikService
    #[arg(long = "url", value_name = "URL", value_parser = page, value_hint = clap::ValueHint::Url)]
    urls: Vec<Page>,

    /// Connect to this address for a host and port; can be repeated
    #[arg(long, value_name = "HOST:PORT:ADDRESS", value_parser = resolve)]
    resolve: Vec<Resolve>,

    /// Connect to a pod of Traefik through the API server, as kubectl port-forward does: to this one, else the first that is ready
    #[arg(long, value_name = "NAMESPACE/POD", value_parser = pod, num_args = 0..=1, require_equals = true,
          default_missing_value = "", conflicts_with = "resolve")]
    through_cluster: Option<Pod>,

    /// Do not verify the certificates of the pages
    #[arg(long, conflicts_with = "ca_file")]
    insecure: bool,

    /// PEM file of certificate authorities to trust for the pages, instead of the system's
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    ca_file: Option<PathBuf>,

    /// Number of browsers
    // A prime: Traefik chooses in turns, so that 12 browsers without pins could each get the same track every time.
    #[arg(long, value_name = "NUMBER", value_parser = count, default_value = "13")]
    browsers: usize,

    /// Number of pages that each browser opens [default: each page twice, at least 8]
    #[arg(long, value_name = "NUMBER", value_parser = count, conflicts_with = "time")]
    requests: Option<usize>,

    /// How long to run the browsers: seconds, or 5m, at most 1h; instead of --requests
    #[arg(long = "for", value_name = "DURATION", value_parser = time)]
    time: Option<Duration>,

    /// Maximum requests per second, all browsers together
    #[arg(long, value_name = "NUMBER", value_parser = rate, default_value = "20")]
    rate: u32,

    /// How long a flow takes, such as a login from its first request to its last one: seconds, or 1m30s
    #[arg(long, value_name = "DURATION", value_parser = flow, default_value = "60s")]
    flow: i64,

    /// Output format
    #[arg(short = 'o', long, value_name = "FORMAT", value_enum, default_value = "text", hide_default_value = true)]
    output: OutputFormat,
}

/// The output formats of `verify`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OutputFormat {
    Text,
    Json,
    Junit,
}

/// What is read first: the routes lead to the pages. Whether the entry's objects are right, the pages themselves are asked.
const BEFORE: Reading = Reading { schema: false, routing: Need::Routes };
/// What is read at the end: whether the weights are still the same.
const AFTER: Reading = Reading { schema: false, routing: Need::Nothing };
/// How long to wait for a page, unless `--request-timeout` is given.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs `verify`.
pub(crate) async fn run(ctx: &Context, args: &VerifyArgs) -> Result<Exit> {
    let trust = match &args.ca_file {
        Some(file) => SiteTrust::of_file(file)?,
        None if args.insecure => SiteTrust::Anyone,
        None => SiteTrust::System,
    };
    let source = ctx.source(&FileArgs::default()).await?;
    let loaded = source.load(ctx.namespace(), &args.name, BEFORE).await?;
    let Source::Cluster(cluster) = &source else { return Err(Error::usage("a cluster is needed")) };
    if let Some(reason) = loaded.observed.forbidden() {
        ctx.ui.warning(reason);
    }
    let target = &loaded.observed.canary.target;
    let command = |arguments: &str| ctx.command(arguments, target, cluster.api().namespace());
    let setup = setup(&loaded, args, &command)?;
    for (_, reason) in loaded.routes(&BTreeSet::new()).unknown {
        ctx.ui.warning(&reason);
    }
    // Without a cookie there is nothing to ask for.
    let seen = if setup.names.is_empty() {
        Seen::default()
    } else {
        let wait = loaded.service.as_ref().map_or(Duration::ZERO, |service| until_in_force(service, ctx.now));
        if !wait.is_zero() {
            ctx.ui.waiting("waiting for Traefik to load the last change");
            tokio::time::sleep(wait).await;
        }
        browse(ctx, args, cluster, &setup, trust).await?
    };
    let moved = match source.load(ctx.namespace(), &args.name, AFTER).await {
        Ok(after) => loaded.moved(&after),
        Err(error) => {
            ctx.ui.warning(error.message());
            Some("it is not known whether the weights changed")
        }
    };
    let mut verification = judge(&setup, &seen.exchanges, moved, &command);
    verification.ended = seen.ended.as_ref().map(|error| error.message().to_owned());
    ctx.ui.data(&match args.output {
        OutputFormat::Text => verification::text(&verification, ctx.ui.out_style()),
        OutputFormat::Json => crate::output::json(&verification::report(&verification, target, &setup)),
        OutputFormat::Junit => verification::junit(&verification, target),
    })?;
    match seen.ended {
        Some(error) => Err(error),
        None if verification.holds() => Ok(Exit::Ok),
        None => Ok(Exit::Found),
    }
}

/// Opens the pages.
async fn browse(ctx: &Context, args: &VerifyArgs, cluster: &Cluster, setup: &Setup, trust: SiteTrust) -> Result<Seen> {
    let way = match &args.through_cluster {
        Some(pod) => Way::Pod(through(cluster, pod, setup).await?),
        None => Way::Names(args.resolve.clone()),
    };
    let timeout = ctx.connection.request_timeout.unwrap_or(PATIENCE);
    let timeout = Some(timeout).filter(|limit| !limit.is_zero());
    let web = Web { way, trust, timeout };
    let until = match args.time {
        Some(time) => Until::Time(time),
        None => Until::Pages(args.requests.unwrap_or_else(|| (2 * setup.pages.len()).max(8))),
    };
    let waiting = |text: &str| ctx.ui.waiting(text);
    let seen = Visits::new(&web, setup, args.rate, ctx.now, &waiting).all(args.browsers, until, None).await?;
    ctx.ui.clear_status();
    if seen.is_cut {
        ctx.ui.warning(&format!("the browsers stopped after {MOST} requests"));
    }
    Ok(seen)
}

/// Returns the pod to connect to, once a connection was made.
async fn through(cluster: &Cluster, pod: &Pod, setup: &Setup) -> Result<Through> {
    let pod = cluster.traefik_pod(pod.0.as_ref()).await?;
    let through = Through { server: Arc::clone(cluster.api()), pod };
    for page in setup.pages.iter().take(1) {
        through.port(page.is_secure)?.open().await?;
    }
    Ok(through)
}

/// Puts together what is under test.
fn setup(loaded: &Loaded, args: &VerifyArgs, command: &impl Fn(&str) -> String) -> Result<Setup> {
    let observed = &loaded.observed;
    let canary = &observed.canary;
    if let Declared::Malformed(..) = canary.declared {
        return Err(Error::usage(format!("the cookie declared on Canary `{}` is malformed", canary.target))
            .hint(command(&format!("describe {}", canary.target.name))));
    }
    let namespace = canary.target.namespace.as_deref();
    let entry = canary.declared_entry().map_or_else(Vec::new, |entry| entry.paths().to_vec());
    let mut routes = loaded.routes(&BTreeSet::new()).seen;
    routes.retain(|route| !route.is_mirror);
    let hosts = pages::hosts(&routes).into_iter().chain(args.urls.iter().map(|page| page.host.clone())).collect();
    let serving = match (&loaded.routing, canary.service_target()) {
        (Some(routing), Some(service)) => Serving::new(routing, &routes, &service, &hosts),
        _ => Serving::default(),
    };
    let pages = if args.urls.is_empty() {
        pages::of_routes(&routes, &serving, &entry)
    } else {
        pages::with_entry(&args.urls, &entry, &serving)
    };
    let names = loaded.cookie_names(namespace);
    if pages.is_empty() && !names.is_empty() {
        return Err(no_page(loaded));
    }
    Ok(Setup {
        canary: canary.target.name.clone(),
        service: canary.service_name.clone().unwrap_or_default(),
        names,
        tracks: loaded.tracks(namespace),
        live: observed.forbidden().map_or_else(|| Ok(observed.live_cookie().is_some()), |why| Err(why.to_owned())),
        entry,
        flow: args.flow,
        pages,
        serving,
    })
}

/// Returns the error for routes that name no page.
fn no_page(loaded: &Loaded) -> Error {
    let hint = "use --url https://HOST/PATH";
    let target = &loaded.observed.canary.target;
    let unread = loaded.routing.iter().flat_map(|routing| &routing.unread_kinds);
    let of_routes = |unread: &&Unread| matches!(unread.kind, ObjectKind::IngressRoute(_) | ObjectKind::HttpRoute);
    let Some(unread) = unread.clone().find(of_routes) else {
        return Error::usage(format!("no route to Canary `{target}` names a host with pages to open")).hint(hint);
    };
    let error =
        Error::cluster(format!("cannot see whether a route to Canary `{target}` names a host with pages to open"))
            .caused_by(&unread.reason)
            .hint(hint);
    match &unread.permission {
        Some(permission) => error.for_lack_of(permission.clone()),
        None => error,
    }
}
