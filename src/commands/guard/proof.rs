//! Proof that the guard acts: writes that drop a declared stanza, as dry runs, must get it back.

use std::time::{Duration, Instant};

use crate::{
    cluster::{Cluster, Failure},
    error::Result,
    guard::{Installed, install},
    model::Observed,
};

/// What came of trying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Proof {
    /// A write that dropped the stanza got it back.
    Acts(String),
    /// It did not.
    Fails(String),
    /// There is nothing to try it on.
    Nothing,
    /// This user may not write what it could be tried on.
    NotAllowed,
}

/// How long policies may take to be taken up. With params the API server looks their kind up every 30 s.
const UPTAKE: Duration = Duration::from_mins(1);

/// Tries it on one covered Canary, until it acts or the time is up.
pub(super) async fn wait(server: &Cluster, installed: &Installed, observed: &[Observed]) -> Result<Proof> {
    let began = Instant::now();
    loop {
        match once(server, installed, observed).await? {
            Proof::Fails(_) if began.elapsed() < UPTAKE => {
                server.progress().waiting("the API server to take the policies up", began.elapsed());
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
            proof => {
                server.progress().done();
                return Ok(proof);
            }
        }
    }
}

/// Tries it once on one covered Canary.
pub(super) async fn once(server: &Cluster, installed: &Installed, observed: &[Observed]) -> Result<Proof> {
    let coverage = installed.coverage();
    let candidates = observed.iter().filter(|observed| {
        install::can_prove(observed)
            && install::covers(&coverage, &observed.canary)
            && observed.guarded != crate::model::Guarded::No
    });
    let mut proof = Proof::Nothing;
    for observed in candidates {
        let name = observed.canary.target.to_string();
        // By *keep* alone, and as Flagger writes.
        let (with, without) = (server.comes_back(observed, true).await, server.comes_back(observed, false).await);
        match (with, without) {
            (Ok(true), Ok(true)) => return Ok(Proof::Acts(name)),
            (Err(failure), _) | (_, Err(failure)) if failure.is_forbidden() => proof = Proof::NotAllowed,
            // Right after a start the API server answers 503 for what the guard would change.
            (Ok(_), Ok(_)) | (Err(Failure::Status(_)), _) | (_, Err(Failure::Status(_))) => {
                return Ok(Proof::Fails(name));
            }
            (Err(failure), _) | (_, Err(failure)) => return Err(server.said(failure, observed)),
        }
    }
    Ok(proof)
}
