//! What a Service is to those who call it: one address, behind which whoever is there answers.

use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicUsize, Ordering},
};

use tokio::net::{TcpListener, TcpStream};

use crate::web::{RUNTIME, block_on};

/// Passes connections to this port on to these, to each in its turn and to the next one when nobody is there. While
/// there is nobody at all, connections stand and nothing comes: as with a node that is gone.
pub(crate) fn start(port: u16, targets: Vec<u16>) {
    let listener = block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, port)));
    let listener = listener.unwrap_or_else(|error| panic!("cannot listen on port {port}: {error}"));
    let targets: &'static [u16] = targets.leak();
    RUNTIME.spawn(async move {
        let turn = AtomicUsize::new(0);
        loop {
            let Ok((client, _)) = listener.accept().await else { continue };
            tokio::spawn(pass_on(client, targets, turn.fetch_add(1, Ordering::Relaxed)));
        }
    });
}

async fn pass_on(mut client: TcpStream, targets: &[u16], turn: usize) {
    for number in 0..targets.len() {
        let target = targets[(turn + number) % targets.len()];
        if let Ok(mut server) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)).await {
            // However it ends, both ends see it.
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            return;
        }
    }
    // Until the client has had enough.
    let _ = tokio::io::copy(&mut client, &mut tokio::io::sink()).await;
}
