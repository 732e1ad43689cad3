//! The last events of a Canary. They are optional: if they may not be read, the reason takes their place.

use crate::{
    apiserver::{Collection, Failure, Part},
    cluster::Cluster,
    model::Event,
    observed::Observed,
};

/// Number of events shown.
const LAST: usize = 10;

impl Cluster {
    /// Reads the last events of a Canary.
    ///
    /// # Errors
    ///
    /// Returns why they could not be read.
    pub async fn events(&self, observed: &Observed) -> Result<Vec<Event>, String> {
        let target = &observed.canary.target;
        let namespace = target.namespace.clone().unwrap_or_else(|| self.api.namespace().to_owned());
        let mut fields = format!("involvedObject.kind=Canary,involvedObject.name={}", target.name);
        if let Some(uid) = &observed.canary.uid {
            fields.push_str(&format!(",involvedObject.uid={uid}"));
        }
        let events = Collection::new("v1", "events", Some(&namespace), &Part::WithoutManagedFields);
        let events = events.with_fields(&fields);
        let listed = self.api.list(&events, |object| Some(Event::from_object(&object))).await;
        let mut events = listed.map_err(Failure::into_message)?;
        events.sort_by(Event::by_last_seen);
        Ok(events.split_off(events.len().saturating_sub(LAST)))
    }
}
