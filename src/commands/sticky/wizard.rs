//! `sticky set` without cookie flags: asks for each field.

use super::session::Session;
use crate::{
    cluster::Selection,
    commands::{self, args::WriteArgs},
    context::{Context, FileArgs},
    error::{Error, Exit, Result},
    flagger::Rollout,
    model::{
        Cookie, Entry, FIELDS, Field, FieldValue, Stickiness,
        field::{FieldKind, SAME_SITE},
    },
    observed::Observed,
    output::{
        self, describe,
        draft::{ENTRY, ENTRY_HELP},
        simulation,
        table::table,
    },
    plan::{
        Scope,
        purpose::{self, Purpose, Suggestion},
        undo,
    },
    simulate::{self, Pin, Setup, Simulation},
    source::Source,
};

/// The answer that leaves a field unset.
const NONE: &str = "-";

/// Asks the questions and makes the change.
pub(super) async fn run(ctx: &Context, canary: Option<&str>, files: &FileArgs, write: &WriteArgs) -> Result<Exit> {
    let source = ctx.source(files).await?;
    let name = match canary {
        Some(name) => name.to_owned(),
        None => choose(ctx, &source).await?,
    };
    let session = Session::begin(ctx, &name, write, files, source).await?;
    ctx.ui.status(&picture(ctx, &session).await?);
    let wanted = answers(ctx, &session, write.scope()).await?;
    let arguments = undo::set_command(&name, &wanted, &session.base, write.scope()) + " --yes";
    let command = match &session.source {
        Source::Cluster(server) => {
            ctx.command(&arguments, &session.loaded.observed.canary.target, server.api().namespace())
        }
        Source::Files(_) => files.command(&arguments),
    };
    ctx.ui.status(&format!("the equivalent command: {command}"));
    session.carry_out(wanted).await
}

/// Asks which Canary; if there is only one, returns it.
pub(super) async fn choose(ctx: &Context, source: &Source) -> Result<String> {
    let namespace = ctx.namespace().or(source.namespace());
    let mut observed = source.list(Selection { namespace, selector: None }).await?;
    observed.retain(Observed::on_traefik);
    let row = |observed: &Observed| {
        let canary = &observed.canary;
        let phase = canary.phase.clone().unwrap_or_else(|| "<none>".into());
        vec![canary.target.name.clone(), phase, observed.state().as_str().to_owned()]
    };
    let rows = table(&["NAME", "PHASE", "STATE"], observed.iter().map(row));
    let rows: Vec<String> = rows.lines().skip(1).map(str::to_owned).collect();
    let index = match (observed.len(), namespace) {
        (0, None) => return Err(Error::not_found("no Canary on Traefik in the files")),
        (0, Some(namespace)) => {
            return Err(Error::not_found(format!("no Canary on Traefik in namespace `{namespace}`"))
                .hint_command("kubectl canary-traefik show -A", " lists the Canaries of all namespaces"));
        }
        (1, _) => 0,
        _ => ctx.ui.choose("Which Canary?", &rows, None).await?,
    };
    Ok(observed.swap_remove(index).canary.target.name)
}

/// Returns the description of the Canary to print above the first question.
async fn picture(ctx: &Context, session: &Session<'_>) -> Result<String> {
    let name = &session.loaded.observed.canary.target.name;
    let descriptions = commands::description::load(ctx, &session.source, name).await?;
    Ok(descriptions.iter().map(|it| describe::text(it, ctx.width(), ctx.ui.err_style())).collect())
}

/// Asks for the duration, then field by field.
async fn answers(ctx: &Context, session: &Session<'_>, scope: Scope) -> Result<Stickiness> {
    let observed = &session.loaded.observed;
    let rollout = &observed.canary.rollout;
    let chosen = purpose(ctx, session).await?;
    let now = session.base.cookie.as_ref();
    let start = start(&observed.canary.target.name, now, &chosen);
    let mut cookie = start.clone();
    for field in &FIELDS {
        let refusal = session.support.refusal(field, scope);
        if let Some(why) = refusal.as_ref().or(session.support.ignored(field).as_ref()) {
            ctx.ui.status(&output::escaped(&format!("{}: skipped, {why}", field.flag)));
            // A value already set stays, even if it is ignored.
            cookie.set(field, now.and_then(|now| now.get(field)).filter(|_| refusal.is_none()).cloned());
            continue;
        }
        if field.key == "maxAge" && chosen.purpose == Purpose::Session {
            continue;
        }
        let value = ask(ctx, field, start.get(field)).await?;
        ctx.ui.status(&format!(
            "{}: {}",
            field.flag,
            value.as_ref().map_or_else(|| "unset".into(), ToString::to_string)
        ));
        cookie.set(field, value);
    }
    let entry = ask_entry(ctx, session.base.entry.as_ref()).await?;
    let flow = if chosen.purpose == Purpose::Flow { cookie.max_age() } else { None };
    for note in notes(rollout, cookie.max_age(), entry.is_some(), flow.unwrap_or(purpose::FLOW)) {
        ctx.ui.status(&format!("note: {note}"));
    }
    Ok(Stickiness { cookie: Some(cookie), entry })
}

/// Returns what is wrong with a rollout with these answers, and what to change in the Canary's analysis.
fn notes(rollout: &Rollout, max_age: Option<i64>, entry: bool, flow: i64) -> Vec<String> {
    let Ok(steps) = simulate::steps_of(rollout) else { return Vec::new() };
    let (pin, flow) = (Pin::of_max_age(max_age), flow.max(1));
    let setup = Setup { steps, interval: rollout.interval, pin, flow, entry, logins: None };
    let found = simulate::findings(&Simulation::of(setup.clone()));
    let mut notes: Vec<_> = found.into_iter().map(|finding| simulation::sentence(finding, &setup)).collect();
    let better = simulate::improved(&setup);
    let (mut flags, mut keys) = (String::new(), Vec::new());
    if better.entry && !setup.entry {
        flags.push_str(" --entry PATH");
    }
    if let (Pin::For(age), true) = (better.pin, better.pin != setup.pin) {
        flags.push_str(&format!(" --max-age {}", purpose::seconds(age)));
    }
    if better.interval != setup.interval {
        keys.push(format!("spec.analysis.interval: {}", purpose::seconds(better.interval)));
    }
    if better.steps != setup.steps {
        keys.push(format!("spec.analysis.stepWeights: [{}]", simulation::steps(&better.steps, ", ")));
    }
    let mut changes = Vec::new();
    if !flags.is_empty() {
        changes.push(format!("start again with{flags}"));
    }
    if !keys.is_empty() {
        changes.push(format!("in the Canary, set {}", keys.join(" and ")));
    }
    if !changes.is_empty() {
        notes.push(format!("to prevent this, {}", changes.join("; ")));
    }
    notes
}

/// Asks where a flow begins until the answer is valid.
async fn ask_entry(ctx: &Context, start: Option<&Entry>) -> Result<Option<Entry>> {
    ctx.ui.status(&format!("{ENTRY_HELP}. Separate several by commas. Type {NONE} to leave it unset"));
    let default = start.map_or_else(|| NONE.to_owned(), ToString::to_string);
    loop {
        let answer = ctx.ui.line(ENTRY, &default).await?;
        if answer == NONE {
            ctx.ui.status(&format!("{ENTRY}: unset"));
            return Ok(None);
        }
        match Entry::parse(&answer) {
            Ok(entry) => {
                ctx.ui.status(&format!("{ENTRY}: {entry}"));
                return Ok(Some(entry));
            }
            Err(malformed) => ctx.ui.status(&output::escaped(&malformed.to_string())),
        }
    }
}

async fn purpose(ctx: &Context, session: &Session<'_>) -> Result<Suggestion> {
    let mut suggestions = purpose::suggestions(&session.loaded.observed.canary.rollout);
    let words = |suggestion: &Suggestion| {
        let max_age = suggestion.max_age.map_or_else(String::new, purpose::seconds);
        format!("{:<19}  {max_age:<5}  {}", suggestion.purpose.as_str(), suggestion.why)
    };
    let items: Vec<_> = suggestions.iter().map(words).collect();
    // With a cookie already set, default to the same duration.
    let default = session.base.cookie.as_ref().map_or(0, |cookie| {
        let same = |it: &Suggestion| it.max_age == cookie.max_age() && it.purpose != Purpose::Own;
        suggestions.iter().position(same).unwrap_or(suggestions.len() - 1)
    });
    let index = ctx.ui.choose("How long a cookie pins a user", &items, Some(default)).await?;
    let chosen = suggestions.swap_remove(index);
    let max_age = chosen.max_age.map_or_else(String::new, |max_age| format!(", {}", purpose::seconds(max_age)));
    ctx.ui.status(&format!("duration: {}{max_age}", chosen.purpose.as_str()));
    Ok(chosen)
}

/// Returns the suggested cookie: the current one or a good first one, with the chosen Max-Age.
fn start(canary: &str, now: Option<&Cookie>, chosen: &Suggestion) -> Cookie {
    let mut cookie = now.cloned().unwrap_or_else(|| {
        let mut cookie = Cookie::default();
        // Unique per Canary: two TraefikServices with the same name on the same host overwrite each other's cookie.
        for (flag, text) in [("name", format!("{canary}-track").as_str()), ("http-only", ""), ("same-site", "lax")] {
            let field = Field::by_flag(flag).expect("a row of FIELDS");
            cookie.set(field, field.parse(text).ok());
        }
        cookie
    });
    let max_age = Field::by_flag("max-age").expect("a row of FIELDS");
    match (chosen.purpose, chosen.max_age) {
        (Purpose::Session, _) => cookie.set(max_age, None),
        (_, Some(seconds)) => cookie.set(max_age, Some(FieldValue::Seconds(seconds))),
        (_, None) => {}
    }
    cookie
}

/// Asks for one field until the answer is valid.
async fn ask(ctx: &Context, field: &Field, start: Option<&FieldValue>) -> Result<Option<FieldValue>> {
    ctx.ui.status(&format!("{}. Type {NONE} to leave it unset ({})", field.help, field.unset));
    if field.kind == FieldKind::SameSite {
        let mut items = vec![NONE.to_owned()];
        items.extend(SAME_SITE.map(|(lower, _)| lower.to_owned()));
        let default = start.map(ToString::to_string).and_then(|value| items.iter().position(|item| *item == value));
        let index = ctx.ui.choose(field.flag, &items, default.or(Some(0))).await?;
        return Ok(field.parse(&items[index]).ok());
    }
    let is_switch = field.kind == FieldKind::Switch;
    let (question, default) = match start {
        _ if is_switch => (format!("{}, y or n", field.flag), if start.is_some() { "y" } else { "n" }.to_owned()),
        Some(FieldValue::Seconds(seconds)) => (field.flag.to_owned(), purpose::seconds(*seconds)),
        start => (field.flag.to_owned(), start.map_or_else(|| NONE.to_owned(), ToString::to_string)),
    };
    loop {
        let answer = ctx.ui.line(&question, &default).await?;
        let value = match answer.to_ascii_lowercase().as_str() {
            NONE => Ok(None),
            "n" | "no" | "false" if is_switch => Ok(None),
            "y" | "yes" | "true" if is_switch => Ok(Some(FieldValue::On)),
            _ if is_switch => Err("must be y or n".to_owned()),
            _ => field.parse_typed(&answer).map(Some),
        };
        match value {
            Ok(value) => return Ok(value),
            Err(allowed) => ctx.ui.status(&format!("`{}`: {allowed}", output::escaped(&answer))),
        }
    }
}
