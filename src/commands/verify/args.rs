//! The values of the flags of `verify`.

use std::{net::IpAddr, time::Duration};

use crate::{apiserver, model::NamespacedName, web::Resolve};

/// The value of `--through-cluster`: a pod, or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pod(pub(super) Option<NamespacedName>);

pub(super) fn pod(text: &str) -> Result<Pod, &'static str> {
    if text.is_empty() {
        return Ok(Pod(None));
    }
    let (namespace, name) = text.split_once('/').ok_or("must be NAMESPACE/POD")?;
    Ok(Pod(Some(NamespacedName { namespace: Some(namespace.to_owned()), name: name.to_owned() })))
}

/// Parses HOST:PORT:ADDRESS; an IPv6 address may have brackets.
pub(super) fn resolve(text: &str) -> Result<Resolve, &'static str> {
    const WRONG: &str = "must be HOST:PORT:ADDRESS, such as shop.example.com:443:203.0.113.7";
    let (host, rest) = match text.strip_prefix('[').and_then(|rest| rest.split_once("]:")) {
        Some((address, rest)) => (format!("[{address}]"), rest),
        None => text.split_once(':').map(|(host, rest)| (host.to_owned(), rest)).ok_or(WRONG)?,
    };
    let (port, address) = rest.split_once(':').ok_or(WRONG)?;
    let address: IpAddr = address.trim_start_matches('[').trim_end_matches(']').parse().map_err(|_| WRONG)?;
    let port = port.parse().ok().filter(|port| *port > 0).ok_or(WRONG)?;
    if host.is_empty() {
        return Err(WRONG);
    }
    Ok(Resolve { host: host.to_ascii_lowercase(), port, address })
}

pub(super) fn count(text: &str) -> Result<usize, &'static str> {
    text.parse().ok().filter(|count| (1..=10_000).contains(count)).ok_or("must be a number from 1 to 10000")
}

/// Parses a rate: `20` or `20/s`.
pub(super) fn rate(text: &str) -> Result<u32, &'static str> {
    let number = text.strip_suffix("/s").unwrap_or(text);
    number.parse().ok().filter(|rate| (1..=1000).contains(rate)).ok_or("must be a number from 1 to 1000, per second")
}

pub(super) fn time(text: &str) -> Result<Duration, String> {
    up_to(1, text)
}

pub(super) fn flow(text: &str) -> Result<i64, String> {
    Ok(up_to(24, text)?.as_secs().try_into().unwrap_or(i64::MAX))
}

fn up_to(hours: u64, text: &str) -> Result<Duration, String> {
    let time = apiserver::duration(text)?;
    let is_allowed = (Duration::from_secs(1)..=Duration::from_hours(hours)).contains(&time);
    if is_allowed { Ok(time) } else { Err(format!("must be from 1s to {hours}h")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_given_for_a_host_and_port() {
        let read = |text| resolve(text).map(|it| (it.host, it.port, it.address.to_string()));
        assert_eq!(read("Shop.Example:443:10.0.0.7"), Ok(("shop.example".into(), 443, "10.0.0.7".into())));
        assert_eq!(read("a:80:::1"), Ok(("a".into(), 80, "::1".into())));
        assert_eq!(read("[2001:db8::1]:80:[::1]"), Ok(("[2001:db8::1]".into(), 80, "::1".into())));
        for wrong in
            ["", "a", "a:80", "a:80:host", "a:0:10.0.0.7", "a:x:10.0.0.7", ":80:10.0.0.7", "https://a:80:1.1.1.1"]
        {
            assert!(resolve(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn browsers_go_on_for_an_hour_at_most_and_a_flow_takes_a_day_at_most() {
        assert_eq!(
            (time("1h"), time("1"), flow("24h")),
            (Ok(Duration::from_hours(1)), Ok(Duration::from_secs(1)), Ok(86_400))
        );
        for wrong in ["0", "1h1s", "999ms"] {
            assert_eq!(time(wrong), Err("must be from 1s to 1h".into()), "{wrong}");
        }
        assert_eq!(flow("25h"), Err("must be from 1s to 24h".into()));
    }

    #[test]
    fn a_rate_is_per_second() {
        assert_eq!((rate("20"), rate("5/s")), (Ok(20), Ok(5)));
        for wrong in ["0", "1001", "20/m", "-1", ""] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }
}
