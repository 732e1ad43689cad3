//! The webhooks in the analysis of a Canary.

use http::Uri;
use serde_json::Value;

use super::analysis::analysis;
use crate::model::view;

/// Returns what this key holds in the metadata of each webhook whose URL has this path. Flagger posts the metadata of a webhook
/// to it (`pkg/controller/webhook.go:CallWebhook`); the same is in the Canary, where nobody else can make it up.
pub fn metadata_of_webhooks<'a>(canary: &'a Value, path: &str, key: &str) -> Vec<&'a str> {
    let Some(analysis) = analysis(canary) else { return Vec::new() };
    let has_path = |webhook: &&Value| {
        let url = view::text(webhook, &["url"]).and_then(|url| url.parse::<Uri>().ok());
        url.is_some_and(|url| url.path() == path)
    };
    let called = view::list(analysis, &["webhooks"]).iter().filter(has_path);
    called.filter_map(|webhook| view::text(webhook, &["metadata", key])).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn metadata_is_that_of_webhooks_with_the_path() {
        let webhook = |url: &str, text: &str| json!({"name": "a", "url": url, "metadata": {"url": text}});
        let webhooks = json!([
            webhook("http://guard.guard/verify/sticky", "one"),
            webhook("http://guard.guard/verify/sticky?x=1", "two"),
            webhook("http://guard.guard/gate/drained", "three"),
            {"name": "b", "url": "http://guard.guard/verify/sticky"},
            {"name": "c"},
            4,
        ]);
        for key in ["analysis", "canaryAnalysis"] {
            let canary = json!({"spec": {key: {"webhooks": webhooks}}});
            assert_eq!(metadata_of_webhooks(&canary, "/verify/sticky", "url"), ["one", "two"], "{key}");
        }
        assert_eq!(metadata_of_webhooks(&json!({"spec": {}}), "/verify/sticky", "url"), [""; 0]);
    }
}
