//! Tests of connections through proxies.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex},
};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::apiserver::{
    Call, ConnectionArgs, Verb,
    testing::{Folder, Server, connected, json as reply, testdata},
};

/// Starts a SOCKS proxy that requires a user and a password (RFC 1928, RFC 1929), and returns its port and the
/// credentials it receives.
async fn proxy(accepts: bool) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, heard) = (listener.local_addr().unwrap().port(), Arc::<Mutex<Vec<String>>>::default());
    let all = Arc::clone(&heard);
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let heard = Arc::clone(&heard);
            tokio::spawn(async move { serve(&mut client, accepts, &heard).await });
        }
    });
    (port, all)
}

async fn serve(client: &mut TcpStream, accepts: bool, heard: &Mutex<Vec<String>>) -> Option<()> {
    let [_, count] = read(client).await?;
    let mut methods = vec![0; usize::from(count)];
    client.read_exact(&mut methods).await.ok()?;
    if !methods.contains(&2) {
        client.write_all(&[5, 0xff]).await.ok()?;
        return None;
    }
    client.write_all(&[5, 2]).await.ok()?;
    let [_, length] = read(client).await?;
    let user = text(client, length).await?;
    let [length] = read(client).await?;
    let password = text(client, length).await?;
    heard.lock().unwrap().push(format!("{user} {password}"));
    client.write_all(&[1, u8::from(!accepts)]).await.ok()?;
    let [_, _, _, kind, a, b, c, d, high, low] = read(client).await?;
    assert_eq!(kind, 1, "an address of version 4");
    let mut server = TcpStream::connect((Ipv4Addr::new(a, b, c, d), u16::from_be_bytes([high, low]))).await.ok()?;
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.ok()?;
    tokio::io::copy_bidirectional(client, &mut server).await.ok().map(drop)
}

async fn read<const N: usize>(client: &mut TcpStream) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    client.read_exact(&mut bytes).await.ok().map(|_| bytes)
}

async fn text(client: &mut TcpStream, length: u8) -> Option<String> {
    let mut bytes = vec![0; usize::from(length)];
    client.read_exact(&mut bytes).await.ok()?;
    String::from_utf8(bytes).ok()
}

/// Returns the error of a call through this proxy, as printed.
async fn said(proxy_url: &str) -> Result<(), String> {
    let server = Server::start_tls("server.pem", [reply("200 OK", "{}")]).await;
    let folder = Folder::new("socks");
    let cluster = json!({"server": server.url(), "certificate-authority": testdata("ca.pem"), "proxy-url": proxy_url});
    let file = folder.write("config", &json!({"clusters": [{"name": "c", "cluster": cluster}]}).to_string());
    let flags = ConnectionArgs { kubeconfig: Some(file), cluster: Some("c".to_owned()), ..ConnectionArgs::default() };
    let call = Call { verb: Verb::Get, resource: "the version", namespace: None, name: None };
    let asked = connected(&flags).await.unwrap().ask(&call, "/version").await;
    asked.map(drop).map_err(|failure| {
        let error = crate::error::Error::from(failure);
        let causes = error.causes().iter().map(String::as_str);
        let all = std::iter::once(error.message()).chain(causes).chain(error.hints().into_iter().take(1));
        all.collect::<Vec<_>>().join("; ").replace(&server.address.to_string(), "SERVER")
    })
}

#[tokio::test]
async fn a_socks_proxy_is_told_user_and_password_unescaped() {
    let (port, heard) = proxy(true).await;
    assert_eq!(said(&format!("socks5://me:p%40ss@127.0.0.1:{port}")).await, Ok(()));
    assert_eq!(said(&format!("socks5h://me@127.0.0.1:{port}")).await, Ok(()));
    assert_eq!(*heard.lock().unwrap(), ["me p@ss", "me "]);
}

#[tokio::test]
async fn a_socks_proxy_that_refuses_is_told_apart() {
    let (port, _) = proxy(false).await;
    let proxy = format!("the proxy socks5://127.0.0.1:{port} (proxy-url of cluster `c`)");
    let hint = format!("socks5://USER:PASSWORD@127.0.0.1:{port}");
    assert_eq!(
        said(&format!("socks5://127.0.0.1:{port}")).await,
        Err(format!("{proxy} requires a user and a password; {hint}"))
    );
    assert_eq!(
        said(&format!("socks5://me:wrong@127.0.0.1:{port}")).await,
        Err(format!("{proxy} does not accept this user and password; {hint}"))
    );
}
