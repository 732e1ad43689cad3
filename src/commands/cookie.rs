//! `cookie`: the cookies that pin a browser to a track.

use clap::{Args, Subcommand};

use crate::{
    cluster::Reading,
    commands::args::{canary_name, format_of},
    context::{Context, FileArgs},
    error::{Error, Exit, Kind, Result},
    flagger::Declared,
    model::NamespacedName,
    output::{
        Format,
        cookie::{self, Cookies, PinnedTrack},
        escaped,
    },
};

/// Show the cookies that pin a browser to a track, or decode one
///
/// Lists, for each track, the cookie that each version of Traefik writes. Values do not change between rollouts, so a
/// tester can use one to reach the canary at any weight, as long as the TraefikService lists it. Newer versions of
/// Traefik accept the values of older ones.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples:\n  # The cookies of both tracks\n  kubectl canary-traefik cookie checkout\n\n  # See the canary's version of a page\n  curl -b \"$(kubectl canary-traefik cookie checkout --track canary)\" https://shop.example.com/\n\n  # Which track is a user on?\n  kubectl canary-traefik cookie decode checkout login=0ac98df64aa42da5"
)]
pub(crate) struct CookieArgs {
    #[command(subcommand)]
    command: Option<CookieCommand>,

    /// The Canary
    #[arg(value_name = "NAME", required = true, value_parser = canary_name)]
    name: Option<String>,

    /// Print only the cookie of this track: primary or canary
    #[arg(long, value_name = "TRACK")]
    track: Option<String>,

    /// With --track, print the cookie for a Traefik that has providers.kubernetesCRD.safeNaming enabled
    #[arg(long, requires = "track")]
    safe_naming: bool,

    /// Output format
    #[arg(short = 'o', long, value_name = "FORMAT", value_parser = format_of(["table", "json", "yaml"]),
          default_value = "table", hide_default_value = true, conflicts_with = "track")]
    output: Format,

    #[command(flatten)]
    files: FileArgs,
}

#[derive(Debug, Subcommand)]
enum CookieCommand {
    Decode(DecodeArgs),
}

/// Show which track a cookie pins to
///
/// Exit status: 0 the cookie pins to a track; 1 it does not, so Traefik chooses one and sets a new cookie; more than 1 an
/// error.
#[derive(Debug, Args)]
pub(crate) struct DecodeArgs {
    /// The Canary
    #[arg(value_name = "NAME", value_parser = canary_name)]
    name: String,

    /// The cookie's value, or NAME=VALUE, or a whole Cookie or Set-Cookie header
    #[arg(value_name = "COOKIE")]
    cookie: String,

    /// Output format
    #[arg(short = 'o', long, value_name = "FORMAT", value_parser = format_of(["table", "json", "yaml"]),
          default_value = "table", hide_default_value = true)]
    output: Format,

    #[command(flatten)]
    files: FileArgs,
}

/// Runs `cookie`.
pub(crate) async fn run(ctx: &Context, args: &CookieArgs) -> Result<Exit> {
    if let Some(CookieCommand::Decode(args)) = &args.command {
        return decode(ctx, args).await;
    }
    let name = args.name.as_deref().unwrap_or_default();
    let cookies = read(ctx, &args.files, name).await?;
    if let Some(wanted) = &args.track {
        ctx.ui.data(&(of_track(&cookies, wanted, args.safe_naming)? + "\n"))?;
        return Ok(Exit::Ok);
    }
    ctx.ui.data(&args.output.of(|| cookie::text(&cookies), || cookie::report(&cookies)))?;
    Ok(Exit::Ok)
}

async fn decode(ctx: &Context, args: &DecodeArgs) -> Result<Exit> {
    let cookies = read(ctx, &args.files, &args.name).await?;
    let value = value(&args.cookie, &cookies)?;
    let Some(decoded) = cookies.decode(value) else {
        ctx.ui.status(&format!("`{}` pins to no track: Traefik chooses a track and sets a new cookie", escaped(value)));
        return Ok(Exit::Found);
    };
    ctx.ui.data(&args.output.of(|| cookie::decoded_text(&decoded), || cookie::decoded_report(&decoded)))?;
    Ok(Exit::Ok)
}

/// Reads the cookies of a Canary.
async fn read(ctx: &Context, files: &FileArgs, name: &str) -> Result<Cookies> {
    let source = ctx.source(files).await?;
    let loaded = source.load(ctx.namespace(), name, Reading::SHOWN).await?;
    if let Some(reason) = loaded.observed.forbidden() {
        ctx.ui.warning(reason);
    }
    let target = loaded.observed.canary.target.clone();
    let namespace = target.namespace.as_deref().or(ctx.namespace());
    if loaded.observed.cookie().is_none() {
        if let Declared::Malformed(..) = loaded.observed.canary.declared {
            return Err(Error::usage(format!("the cookie declared on Canary `{target}` is malformed"))
                .hint(files.command(&format!("describe {}", target.name))));
        }
        return Err(Error::new(Kind::NotFound, format!("Canary `{target}` has no cookie"))
            .hint(files.command(&format!("sticky set {}", target.name))));
    }
    let tracks = loaded.tracks(namespace).into_iter().map(PinnedTrack::of).collect::<Option<_>>();
    let names = [false, true].map(|safe_naming| loaded.cookie_name(namespace, safe_naming));
    let ([Some(name), Some(safe_name)], Some(tracks)) = (names, tracks) else {
        return Err(Error::usage("the cookie values depend on the namespace, and the manifest sets none")
            .hint("use -n NAMESPACE"));
    };
    let target = NamespacedName { namespace: namespace.map(str::to_owned), name: target.name.clone() };
    Ok(Cookies { target, name, safe_name, tracks })
}

fn of_track(cookies: &Cookies, wanted: &str, safe_naming: bool) -> Result<String> {
    let track = cookies.tracks.iter().find(|track| track.name == wanted);
    track.map(|track| cookies.of(track, safe_naming)).ok_or_else(|| {
        let names: Vec<_> = cookies.tracks.iter().map(|track| track.name.as_str()).collect();
        Error::usage(format!("there is no track `{wanted}`"))
            .hint(format!("use --track {}", names.join(", or --track ")))
    })
}

/// Returns the value of the Canary's cookie in what was typed.
fn value<'a>(typed: &'a str, cookies: &Cookies) -> Result<&'a str> {
    let typed = typed.trim();
    let header = typed
        .split_once(':')
        .filter(|(name, _)| name.eq_ignore_ascii_case("cookie") || name.eq_ignore_ascii_case("set-cookie"));
    let pairs = header.map_or(typed, |(_, pairs)| pairs);
    if header.is_none() && !pairs.contains('=') {
        return Ok(pairs);
    }
    let is_it = |(name, _): &(&str, &str)| [&cookies.name, &cookies.safe_name].iter().any(|own| *own == name);
    let mut pairs = pairs.split(';').filter_map(|pair| pair.trim().split_once('='));
    // Traefik reads the first of several.
    pairs.find(is_it).map(|(_, value)| value).ok_or_else(|| {
        Error::usage(format!("no cookie named `{}` in what you passed", cookies.name))
            .hint(format!("pass the value alone, or {}=VALUE", cookies.name))
    })
}
