//! `show --watch`.

use std::{convert::Infallible, sync::Arc};

use super::{
    Shared,
    board::{Board, Surroundings, Watched},
    draw,
    follow::{Need, Outages, follow},
    lines::Lines,
    now, screen, time_is_up, write,
};
use crate::{
    apiserver::Part,
    cluster::{Cluster, Reading, collections::of_kind, no_flagger},
    commands::{batch::Batch, show::ShowArgs},
    context::Context,
    error::{Error, Exit, Result},
    model::{NamespacedName, ObjectKind, name::Group, selector},
    output::{Format, show},
};

/// How long what is not watched is taken for current: the guard's objects, and routes of entries.
const CURRENT: std::time::Duration = std::time::Duration::from_secs(30);

/// Runs `show --watch`; ends with an error, or after `--request-timeout`.
pub(in crate::commands) async fn run(ctx: &Context, args: &ShowArgs) -> Result<Exit> {
    ctx.ui.expect_interrupt();
    let cluster = ctx.cluster().await?;
    let namespace = args.select.selection(ctx, Some(cluster.api().namespace())).namespace;
    let shared = Shared { value: Board::new(args.select.names.iter().cloned()).into(), ..Shared::default() };
    let is_live = args.output.output.is_table() && ctx.ui.is_live();
    let outages = Outages::new(Arc::clone(&ctx.ui), is_live);
    let follow = |watched| watch(&cluster, watched, args, namespace, &shared, &outages);
    let [new, old] = Group::ALL.map(Watched::Services);
    let error = tokio::select! {
        error = follow(Watched::Canaries) => error,
        error = follow(new) => error,
        error = follow(old) => error,
        Err(error) = present(ctx, args, &cluster, &shared, &outages, is_live) => error,
        never = read_surroundings(&cluster, namespace, &shared) => match never {},
        () = time_is_up(ctx) => return Ok(Exit::Ok),
    };
    Err(error)
}

/// Follows one kind.
async fn watch(
    cluster: &Cluster,
    watched: Watched,
    args: &ShowArgs,
    namespace: Option<&str>,
    shared: &Shared<Board>,
    outages: &Outages,
) -> Error {
    let (kind, need) = match watched {
        Watched::Canaries => (ObjectKind::Canary, Need::Must),
        Watched::Services(group) => (ObjectKind::TraefikService(group), Need::Less),
    };
    let mut collection = of_kind(kind, namespace, &Part::Whole).unpaged();
    if watched == Watched::Canaries {
        if let [name] = args.select.names.as_slice() {
            collection = collection.named(name);
        } else if let Some(selector) = args.select.selector().and_then(|text| selector::parse(text).ok()) {
            collection = collection.selected(&selector.to_string());
        }
    }
    let error =
        follow(cluster.api(), &collection, need, outages, |news| shared.change(|board| board.take(watched, news)));
    let error = error.await;
    if error.kind() == crate::error::Kind::NotFound { no_flagger() } else { error }
}

/// Reads what is not watched once everything is listed, and again when something has changed since and it is no longer
/// current.
async fn read_surroundings(cluster: &Cluster, namespace: Option<&str>, shared: &Shared<Board>) -> Infallible {
    loop {
        shared.stale.notified().await;
        let (is_listed, (entry, provider)) = {
            let board = shared.lock();
            (board.is_listed(), board.wants())
        };
        if !is_listed {
            continue;
        }
        let guard = cluster.read_coverage().await;
        let routing = if entry { Some(Arc::new(cluster.routing(namespace).await)) } else { None };
        let mesh_provider = if provider { cluster.mesh_provider().await } else { None };
        shared.lock().surround(Surroundings { guard, routing, mesh_provider });
        shared.news.notify_one();
        let mut has_changed = false;
        let changes = async {
            loop {
                shared.stale.notified().await;
                has_changed = true;
                // Until a Canary declares an entry, routes are not read.
                if shared.lock().lacks_routes() {
                    break;
                }
            }
        };
        let _ = tokio::time::timeout(CURRENT, changes).await;
        if has_changed {
            shared.stale.notify_one();
        }
    }
}

async fn present(
    ctx: &Context,
    args: &ShowArgs,
    cluster: &Cluster,
    shared: &Shared<Board>,
    outages: &Outages,
    is_live: bool,
) -> Result<Infallible> {
    while !shared.lock().is_ready() {
        shared.news.notified().await;
    }
    report_missing(ctx, args, cluster, shared).await?;
    if let Some(reason) = shared.lock().forbidden() {
        ctx.ui.warning(&reason);
    }
    let printer = &args.output.output;
    let columns = show::Columns {
        namespace: args.select.all_namespaces,
        wide: printer.format() == Some(Format::Wide),
        file: false,
        step: true,
        next: is_live,
        headers: !args.output.no_headers,
        now: ctx.now,
    };
    let nothing = args.select.nothing(ctx, Some(cluster.api().namespace()));
    if is_live && let Some(mut live) = ctx.ui.live() {
        let frame = |lines, width| {
            let mut board = shared.lock();
            board.forget_changes();
            let columns = show::Columns { now: now(), ..columns };
            screen::frame(&board, columns, &nothing, outages.sentence(), (lines, width))
        };
        return Err(draw(&mut live, &shared.news, frame).await);
    }
    let mut lines = Lines::new(printer, columns);
    if printer.is_table() && shared.lock().shown(false).is_empty() {
        ctx.ui.status(&nothing);
    }
    loop {
        let text = lines.changes(&mut shared.lock(), now())?;
        write(ctx, text).await?;
        shared.news.notified().await;
    }
}

/// Reports the named Canaries that do not exist.
///
/// # Errors
///
/// None of them exists.
async fn report_missing(ctx: &Context, args: &ShowArgs, cluster: &Cluster, shared: &Shared<Board>) -> Result<()> {
    let names = &args.select.names;
    let missing = shared.lock().missing_names();
    let mut batch = Batch::new(names.len());
    for name in &missing {
        let namespace = ctx.namespace().unwrap_or(cluster.api().namespace()).to_owned();
        let target = NamespacedName { namespace: Some(namespace), name: name.clone() };
        let loaded = cluster.load(&target, Reading::SHOWN).await;
        batch.take(ctx, &target, loaded)?;
    }
    if !missing.is_empty() && missing.len() == names.len() { batch.end() } else { Ok(()) }
}
