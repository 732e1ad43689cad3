//! The routers of Traefik's other providers, from its own API (traefik/traefik `pkg/api/handler_http.go:getRouters`).

use serde_json::Value;

use crate::{
    apiserver::{ApiServer, Call, Failure, Verb},
    cluster::Cluster,
    error::{Error, Result},
    traefik::router::{Router, of_api},
};

/// Number of routers on a page. Traefik has no limit of its own.
const PER_PAGE: usize = 1000;
/// The most pages: 20,000 routers.
const MOST_PAGES: usize = 20;

impl Cluster {
    /// Counts the routers of Traefik's other providers among those that can serve a request.
    pub async fn with_routers_of(self, traefik: &ApiServer) -> Result<Self> {
        let routers = routers(traefik).await.map_err(|cause| {
            Error::cluster(format!("cannot read the routers of Traefik's API {}", traefik.url()))
                .caused_by(cause)
                .hint("use --traefik-api http://127.0.0.1:8080, after kubectl port-forward -n NAMESPACE POD 8080")
        })?;
        Ok(Self { other_routers: routers, ..self })
    }
}

/// Reads the routers of every page; the error says why not.
async fn routers(traefik: &ApiServer) -> Result<Vec<Router>, String> {
    let call = Call { verb: Verb::List, resource: "routers", namespace: None, name: None };
    let mut routers = Vec::new();
    let mut page = 1;
    for _ in 0..MOST_PAGES {
        let path = format!("/api/http/routers?per_page={PER_PAGE}&page={page}");
        let answer = traefik.ask(&call, &path).await.map_err(why)?;
        let Ok(Value::Array(items)) = serde_json::from_slice(&answer.body) else {
            return Err("it does not answer with a list of routers".to_owned());
        };
        routers.extend(items.iter().filter_map(of_api));
        // After the last page, the next one is the first.
        match answer.next_page.and_then(|next| next.parse::<usize>().ok()) {
            Some(next) if next > page => page = next,
            _ => return Ok(routers),
        }
    }
    Err(format!("it has more than {} routers", MOST_PAGES * PER_PAGE))
}

fn why(failure: Failure) -> String {
    match failure {
        Failure::Status(refusal, _) => format!("it answered with status {}", refusal.code),
        Failure::NotJson(_) => "its answer is not JSON".to_owned(),
        other => other.into_message(),
    }
}
