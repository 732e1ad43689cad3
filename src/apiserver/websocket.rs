//! WebSocket (RFC 6455), as far as a client needs it that trusts its server: the handshake, and frames. No extensions.

use std::io;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, header};
use ring::{
    digest::{SHA1_FOR_LEGACY_USE_ONLY, digest},
    rand::{SecureRandom, SystemRandom},
};
use tokio::io::{AsyncRead, AsyncReadExt};

/// The longest payload of a frame that is read, in bytes; and of one that controls the connection (section 5.5).
const LONGEST: u64 = 1 << 20;
const LONGEST_OF_CONTROL: u64 = 125;

/// The types of frames (section 5.2).
pub(super) const CONTINUATION: u8 = 0;
pub(super) const BINARY: u8 = 2;
pub(super) const CLOSE: u8 = 8;
pub(super) const PING: u8 = 9;
pub(super) const PONG: u8 = 10;

/// Adds what a request for this protocol needs, and returns what the server must answer as `Sec-WebSocket-Accept`
/// (section 4.1).
pub(super) fn offer(headers: &mut HeaderMap, protocol: &'static str) -> HeaderValue {
    let key = STANDARD.encode(random::<16>());
    let text = |text: &str| HeaderValue::from_str(text).expect("base64 is ASCII");
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
    headers.insert(header::SEC_WEBSOCKET_KEY, text(&key));
    text(&accepted(&key))
}

/// Returns what a server answers to this key (section 4.2.2).
fn accepted(key: &str) -> String {
    let text = format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()))
}

/// Reads a frame: its type and its payload.
pub(super) async fn read(from: &mut (impl AsyncRead + Unpin)) -> io::Result<(u8, Vec<u8>)> {
    let [first, second] = bytes(from).await?;
    let length = match second & !MASKED {
        TWO_BYTES => u64::from(u16::from_be_bytes(bytes(from).await?)),
        EIGHT_BYTES => u64::from_be_bytes(bytes(from).await?),
        short => u64::from(short),
    };
    let kind = first & 0x0f;
    let longest = if kind < CLOSE { LONGEST } else { LONGEST_OF_CONTROL };
    // Servers do not mask (section 5.1).
    if second & MASKED != 0 || length > longest {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is no frame of a WebSocket"));
    }
    let mut payload = vec![0; usize::try_from(length).unwrap_or_default()];
    from.read_exact(&mut payload).await?;
    Ok((kind, payload))
}

/// The bit of a length that says that the payload is masked, and the lengths that say that it follows in two or eight bytes.
const MASKED: u8 = 0x80;
const TWO_BYTES: u8 = 126;
const EIGHT_BYTES: u8 = 127;

/// Returns a frame with this payload, masked (section 5.3).
pub(super) fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | kind];
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length), _) if length < TWO_BYTES => frame.push(MASKED | length),
        (_, Ok(length)) => {
            frame.push(MASKED | TWO_BYTES);
            frame.extend(length.to_be_bytes());
        }
        _ => {
            frame.push(MASKED | EIGHT_BYTES);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    let mask = random::<4>();
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

async fn bytes<const N: usize>(from: &mut (impl AsyncRead + Unpin)) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes).await.map(|_| bytes)
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).expect("the system has random numbers");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_frame_is_masked_and_one_of_a_server_is_not() {
        for length in [0, 1, 125, 126, 255, 256, 65_535, 65_536] {
            let payload: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
            let sent = frame(BINARY, &payload);
            let head = sent.len() - payload.len() - 4;
            let mask: [u8; 4] = sent[head..head + 4].try_into().unwrap();
            let unmasked: Vec<_> = sent[head + 4..].iter().zip(mask.iter().cycle()).map(|(a, b)| a ^ b).collect();
            assert_eq!(unmasked, payload);
            let mut of_server = sent[..head].to_vec();
            of_server[1] &= !MASKED;
            of_server.extend(&payload);
            assert_eq!(read(&mut of_server.as_slice()).await.unwrap(), (BINARY, payload), "{length}");
            assert!(read(&mut sent.as_slice()).await.is_err(), "it is masked");
        }
        let longest = [0x82, 127, 0, 0, 0, 0, 0, 0x10, 0, 1];
        assert!(read(&mut longest.as_slice()).await.is_err(), "it is too long");
    }

    #[tokio::test]
    async fn a_frame_that_controls_the_connection_is_short() {
        let ping = |length: u8| [vec![0x80 | PING, TWO_BYTES, 0, length], vec![7; length.into()]].concat();
        assert_eq!(read(&mut ping(125).as_slice()).await.unwrap(), (PING, vec![7; 125]));
        assert!(read(&mut ping(126).as_slice()).await.is_err(), "it is too long");
    }

    /// The example of section 1.3.
    #[test]
    fn what_the_server_must_answer_depends_on_the_key() {
        assert_eq!(accepted("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        let mut headers = HeaderMap::new();
        let expected = offer(&mut headers, "v4.channel.k8s.io");
        let key = headers[header::SEC_WEBSOCKET_KEY].to_str().unwrap();
        assert_eq!((STANDARD.decode(key).unwrap().len(), accepted(key).as_bytes()), (16, expected.as_bytes()));
    }
}
