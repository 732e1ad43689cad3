//! Ports of `127.0.0.1` to listen on.
//!
//! Between the choice of a port and its use, and while a server is away that comes back to it, the system must not hand
//! it out: neither to whoever asks for any port nor to a connection that goes out. So it lies outside of the range that
//! the system takes those from.

use std::{
    collections::BTreeSet,
    net::TcpListener,
    ops::RangeInclusive,
    sync::{LazyLock, Mutex, PoisonError},
};

use super::directory::random_number;

/// Below are the ports of well-known services.
const LOWEST: u16 = 10_000;

/// A port that nobody listens on, and that no other call in this process has returned or will.
pub fn free() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    static RANGE: LazyLock<RangeInclusive<u16>> = LazyLock::new(range);
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let count = u64::from(RANGE.end() - RANGE.start()) + 1;
    loop {
        // Other processes choose too: each begins somewhere else.
        let port = RANGE.start() + u16::try_from(random_number() % count).expect("within the range");
        if !given.contains(&port) && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            given.insert(port);
            return port;
        }
    }
}

/// The ports that the system gives to nobody, below or above those that it does.
fn range() -> RangeInclusive<u16> {
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let mut numbers = text.split_whitespace().filter_map(|word| word.parse().ok());
    let (low, high) = (numbers.next().unwrap_or(32_768), numbers.next().unwrap_or(60_999));
    match (low, high) {
        (11_000.., _) => LOWEST..=low - 1,
        (_, ..=64_000) => high + 1..=u16::MAX,
        // It gives them all.
        _ => LOWEST..=u16::MAX,
    }
}
