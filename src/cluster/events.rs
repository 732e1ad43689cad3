//! The last events of a Canary. They are optional: if they may not be read, the reason takes their place.

use crate::{
    apiserver::{Collection, Part},
    cluster::Cluster,
    model::Event,
    observed::Observed,
    traefik::Lookup,
};

/// Number of events shown.
const LAST: usize = 10;

impl Cluster {
    /// Reads the last events of a Canary.
    pub async fn events(&self, observed: &Observed) -> Lookup<Vec<Event>> {
        let target = &observed.canary.target;
        let namespace = target.namespace.clone().unwrap_or_else(|| self.api.namespace().to_owned());
        let mut fields = format!("involvedObject.kind=Canary,involvedObject.name={}", target.name);
        if let Some(uid) = &observed.canary.uid {
            fields.push_str(&format!(",involvedObject.uid={uid}"));
        }
        let events = Collection::new("v1", "events", Some(&namespace), &Part::WithoutManagedFields);
        let events = events.with_fields(&fields);
        match self.api.list(&events, |object| Some(Event::from_object(&object))).await {
            Ok(mut events) => {
                events.sort_by(Event::by_last_seen);
                Lookup::Seen(events.split_off(events.len().saturating_sub(LAST)))
            }
            Err(failure) => Lookup::Unknown(failure.into_message()),
        }
    }
}
