//! `describe --watch`: the report is read again whenever the Canary, its TraefikService or an event about it changes.

use std::{sync::Arc, time::Duration};

use futures_util::future::OptionFuture;
use tokio::sync::Notify;

use super::{
    Shared, draw,
    follow::{Need, News, Outages, follow},
    now, time_is_up, write,
};
use crate::{
    apiserver::{Collection, Part},
    cluster::{Cluster, collections::of_kind},
    commands::description::load,
    context::{Context, FileArgs},
    error::{Error, Exit, Kind, Result},
    model::{NamespacedName, ObjectKind, name::Group},
    output::{Format, describe, printer::Printer, wrap::cut},
    source::Source,
};

/// Least time between two readings: changes of one step come close together.
const PAUSE: Duration = Duration::from_secs(1);
/// The name of the report among what can be out of date.
const REPORT: &str = "report";
/// Nothing is kept of objects whose changes are only noticed.
static NOTHING: Part = Part::Keys(&[]);

/// What is described, as it was read last.
type Report = Option<describe::Description>;

/// Runs `describe --watch`; ends with an error, or after `--request-timeout`.
pub(in crate::commands) async fn run(ctx: &Context, name: &str, printer: &Printer) -> Result<Exit> {
    ctx.ui.expect_interrupt();
    let source = ctx.source(&FileArgs::default()).await?;
    let first = load(ctx, &source, name).await?.pop();
    let Source::Cluster(cluster) = &source else { return Ok(Exit::Ok) };
    let is_live = printer.is_table() && ctx.ui.is_live();
    let outages = Outages::new(Arc::clone(&ctx.ui), is_live);
    let of_service = first.as_ref().and_then(|description| {
        let observed = &description.loaded.observed;
        let group = observed.service().map_or(Group::TraefikIo, |service| service.group);
        Some(named(ObjectKind::TraefikService(group), &observed.canary.service_target()?))
    });
    let shared = Shared { value: first.into(), ..Shared::default() };
    let namespace = ctx.namespace().unwrap_or(cluster.api().namespace()).to_owned();
    let canary = NamespacedName { namespace: Some(namespace), name: name.to_owned() };
    let notice = |collection, need| notice(cluster, collection, need, &outages, &shared.stale);
    let error = tokio::select! {
        error = notice(named(ObjectKind::Canary, &canary), Need::Must) => error,
        Some(error) = OptionFuture::from(of_service.map(|service| notice(service, Need::Less))) => error,
        error = notice(events(&canary), Need::Less) => error,
        error = read(ctx, &source, name, &shared, &outages) => error,
        Err(error) = present(ctx, printer, &shared, &outages, is_live) => error,
        () = time_is_up(ctx) => return Ok(Exit::Ok),
    };
    Err(error)
}

fn named(kind: ObjectKind, target: &NamespacedName) -> Collection {
    of_kind(kind, target.namespace.as_deref(), &NOTHING).named(&target.name)
}

fn events(canary: &NamespacedName) -> Collection {
    let fields = format!("involvedObject.kind=Canary,involvedObject.name={}", canary.name);
    Collection::new("v1", "events", canary.namespace.as_deref(), &NOTHING).with_fields(&fields)
}

/// Notices every change of a collection.
async fn notice(cluster: &Cluster, collection: Collection, need: Need, outages: &Outages, stale: &Notify) -> Error {
    let take = |news| {
        if !matches!(news, News::Forbidden(_)) {
            stale.notify_one();
        }
    };
    follow(cluster.api(), &collection, need, outages, take).await
}

/// Reads the report again after each change. Ends if the Canary no longer exists.
async fn read(ctx: &Context, source: &Source, name: &str, shared: &Shared<Report>, outages: &Outages) -> Error {
    loop {
        shared.stale.notified().await;
        match load(ctx, source, name).await {
            Ok(mut all) => {
                *shared.lock() = all.pop();
                outages.end(REPORT);
            }
            Err(error) if error.kind() == Kind::NotFound => return error,
            Err(error) => {
                outages.begin(REPORT, error.message().to_owned());
                shared.stale.notify_one();
            }
        }
        shared.news.notify_one();
        tokio::time::sleep(PAUSE).await;
    }
}

async fn present(
    ctx: &Context,
    printer: &Printer,
    shared: &Shared<Report>,
    outages: &Outages,
    is_live: bool,
) -> Result<std::convert::Infallible> {
    let style = ctx.ui.out_style();
    if is_live && let Some(mut live) = ctx.ui.live() {
        let frame = |lines, width| {
            let mut report = shared.lock();
            let Some(description) = report.as_mut() else { return Vec::new() };
            description.now = now();
            fitted(&describe::text(description, width, style), outages.sentence(), lines, width)
        };
        return Err(draw(&mut live, &shared.news, frame).await);
    }
    let mut printed = None;
    loop {
        let shown = |description: &describe::Description| {
            printer.of(true, || describe::text(description, ctx.width(), style), || describe::report(description))
        };
        let text = {
            let mut report = shared.lock();
            match report.as_mut() {
                None => String::new(),
                Some(description) => {
                    // Ages alone are no change.
                    description.now = ctx.now;
                    let lasting = shown(description)?;
                    description.now = now();
                    let is_first = printed.is_none();
                    if printed.as_ref() == Some(&lasting) {
                        String::new()
                    } else {
                        printed = Some(lasting);
                        let separates = matches!(printer, Printer::Format(Format::Table | Format::Yaml)) && !is_first;
                        format!("{}{}", if separates { "---\n" } else { "" }, shown(description)?)
                    }
                }
            }
        };
        write(ctx, text).await?;
        shared.news.notified().await;
    }
}

/// Cuts a report to the lines of a window.
fn fitted(text: &str, outage: Option<String>, lines: usize, width: usize) -> Vec<String> {
    let outage = outage.map(|sentence| cut(&crate::output::escaped(&sentence), width));
    let room = lines.saturating_sub(usize::from(outage.is_some())).max(1);
    let mut shown: Vec<_> = text.lines().map(str::to_owned).collect();
    if shown.len() > room {
        let kept = room.saturating_sub(1);
        let more = format!("… and {} more", crate::output::count(shown.len() - kept, "line", "lines"));
        shown.truncate(kept);
        shown.push(cut(&more, width));
    }
    shown.extend(outage);
    shown
}
