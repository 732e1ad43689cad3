//! A network that loses connections without a word: they stay open, and nothing comes through them any more.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

use serde_json::json;
use testbed::{namespace::Namespace, wait::until};

use super::{
    certificates::authorities,
    client::Client,
    guard::{DECLARED, Guard, Turn, declare, declared_sticky, live},
};

/// Between the guard and the API server.
struct Network {
    address: SocketAddr,
    /// Connections made before this age are silent.
    silent_before: Arc<AtomicUsize>,
    /// Whether new ones are silent too.
    is_down: Arc<AtomicBool>,
    made: Arc<AtomicUsize>,
}

impl Network {
    fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let (silent_before, is_down, made) = <(Arc<AtomicUsize>, Arc<AtomicBool>, Arc<AtomicUsize>)>::default();
        let (silent, down, counted) = (Arc::clone(&silent_before), Arc::clone(&is_down), Arc::clone(&made));
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let number = counted.fetch_add(1, SeqCst);
                let Ok(far) = TcpStream::connect(server) else { continue };
                let ways = [(near.try_clone(), far.try_clone()), (Ok(far), Ok(near))];
                for (from, to) in ways {
                    let (Ok(mut from), Ok(mut to)) = (from, to) else { continue };
                    let (silent, down) = (Arc::clone(&silent), Arc::clone(&down));
                    thread::spawn(move || {
                        let mut piece = [0; 16 << 10];
                        while let Ok(length @ 1..) = from.read(&mut piece) {
                            let is_silent = number < silent.load(SeqCst) || down.load(SeqCst);
                            if !is_silent && to.write_all(&piece[..length]).is_err() {
                                break;
                            }
                        }
                        let _ = to.shutdown(Shutdown::Both);
                    });
                }
            }
        });
        Self { address, silent_before, is_down, made }
    }

    /// From now on nothing comes through the connections there are.
    fn forgets_its_connections(&self) {
        self.silent_before.store(self.made.load(SeqCst), SeqCst);
    }
}

/// A guard on the other side of such a network.
fn guard_behind(namespace: &Namespace) -> (Guard, Network) {
    const HOST: &str = "127.0.0.1:";
    let mut network = None;
    let guard = Guard::behind(namespace, |text| {
        let (head, rest) = text.split_once(HOST).expect("the server's address");
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        let network =
            network.insert(Network::before(format!("{HOST}{}", &rest[..digits]).parse().expect("an address")));
        format!("{head}{}{}", network.address, &rest[digits..])
    });
    (guard, network.expect("it was made"))
}

#[test]
fn a_watch_that_died_without_a_word_is_found_and_what_was_missed_is_made_up_for() {
    let turn = Turn::take();
    let namespace = turn.shops("silence", &["shop"]);
    let (guard, network) = guard_behind(&namespace);
    until("the first repair", || (live(&namespace, "shop") == declared_sticky()).then_some(()));
    network.forgets_its_connections();
    declare(&namespace, "shop", "login; Max-Age=7");
    let wanted = json!({ "cookie": { "name": "login", "maxAge": 7 } });
    until("the declaration that was missed", || (live(&namespace, "shop") == wanted).then_some(()));

    // Without any way to the server it says that it is not up to date, and with one that it is again.
    let authorities = authorities(&namespace);
    let ready = || {
        let mut client = Client::connect(guard.port, &authorities, "127.0.0.1").expect("trust");
        client.gets("/readyz")
    };
    assert_eq!(ready().0, 200);
    network.is_down.store(true, SeqCst);
    let answer = until("it to say so", || Some(ready()).filter(|answer| answer.0 == 503));
    let expected = "[+] canaries-listed\n[-] watches-current\n[+] certificate-valid\n\
                    [+] webhook-registered\n[+] not-shutting-down\n";
    assert_eq!(answer.1, expected);
    network.is_down.store(false, SeqCst);
    network.forgets_its_connections();
    until("it to be up to date", || (ready().0 == 200).then_some(()));
    declare(&namespace, "shop", DECLARED);
    until("the repair", || (live(&namespace, "shop") == declared_sticky()).then_some(()));
    assert_eq!(guard.ends("TERM").0.code, Some(0));
}
