//! Routes that name their provider, and routers of other providers, asked of the real Traefik.

use std::net::Ipv4Addr;

use serde_json::json;
use snapbox::str;
use testbed::{directory::Directory, wait::until};

use super::{assert_each_login_begins_anew, site::Site, start};
use crate::{browser::Browser, shop::NAME, traefik::API};

const QUALIFIED_SITE: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 13);
const FILE_SITE: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 11);

/// The options under which Traefik follows `NAMESPACE-NAME@kubernetescrd` in every version that takes it so.
const CROSS_NAMESPACE: &str = "--providers.kubernetescrd.allowcrossnamespace=true";

pub(crate) fn of_a_route_that_names_its_provider_each_login_begins_anew_at_the_entry_and_only_there() {
    let site = Site::new("qualified");
    let traefik = start(QUALIFIED_SITE, &[site.namespace.name()], &[CROSS_NAMESPACE]);
    let rule = format!("Host(`{}`)", site.host);
    let name = format!("{}-{NAME}@kubernetescrd", site.namespace.name());
    site.ingress_route(&rule, &json!({ "services": [{ "kind": "TraefikService", "name": name }] }));
    site.enters();
    site.waits(&traefik, vec![rule.clone(), format!("({rule}) && (Path(`/login`))")]);
    assert_each_login_begins_anew(Browser::new(QUALIFIED_SITE, site.host.clone()));
}

pub(crate) fn a_path_that_traefiks_file_provider_serves_is_refused_once_traefik_is_asked() {
    let site = Site::new("file");
    let folder = Directory::new();
    let router =
        json!({ "rule": format!("Host(`{}`) && PathPrefix(`/login`)", site.host), "priority": 1000, "service": "sso" });
    let sso = json!({ "loadBalancer": { "servers": [{ "url": "http://198.18.0.1:9" }] } });
    let file = folder
        .write("sso.yaml", json!({ "http": { "routers": { "sso": router }, "services": { "sso": sso } } }).to_string());
    let file = format!("--providers.file.filename={}", file.display());
    let traefik = start(FILE_SITE, &[site.namespace.name()], &[&file]);
    site.ingress_route(&format!("Host(`{}`)", site.host), &json!({ "priority": 50 }));
    until("Traefik to have the router of the file and that of the route", || {
        (traefik.routers(site.namespace.name()).len() == 2).then_some(())
    });
    let url = format!("http://{FILE_SITE}:{API}");
    let set = |path: &'static str| {
        let words = ["sticky", "set", NAME, "--name", "login", "--max-age", "60", "--entry", path, "--yes"];
        site.namespace.run(words.into_iter().chain(["--traefik-api", &url])).redact(&site.host, "[HOST]").run()
    };
    set("/login").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the entry of Canary `file-[NS]/shop` would have no effect
caused by: `/login` on host `[HOST]` is served by router `sso@file` (priority 1000) instead of IngressRoute `file-[NS]/shop` (priority 50)
hint: name paths with --entry that a route to the TraefikService serves, or give that route a higher priority

"#]]);
    // Another path is free; and so, as far as the cluster's own objects tell, is that one.
    let output = set("/start");
    assert_eq!(output.code, Some(0), "{output}");
    site.enters();
    let described = |flags: &[&str]| {
        let words = ["describe", NAME, "-o", "json"].into_iter().chain(flags.iter().copied());
        let output = site.namespace.run(words).run();
        let described: serde_json::Value = serde_json::from_str(&output.stdout).expect("it is JSON");
        described["entry"]["state"].clone()
    };
    assert_eq!([described(&[]), described(&["--traefik-api", &url])], ["synced", "refused"]);
}
